"""The pages of the categories, and putting a document in place that was looked at before."""

import json
from datetime import timedelta
from itertools import chain
from typing import Any

from cronq.database.categories import replace_category
from cronq.database.pausing import pause_job
from cronq.database.reading import category_pages, documents
from cronq.domain.access import Actor, Role, Via
from cronq.domain.documents import parse_document
from cronq.web.actions import drafts
from tests.domain.wrong_defaults import SENTENCES, WITH_LINES, WRONG_DOCUMENT
from tests.web.markup import Page
from tests.web.people import SAME_ORIGIN, PeopleCase
from tests.web.seed import HOSTILE_NAMES, add_category, add_job, remove_job
from tests.web.support import HOST, Answer, WebTestCase

MINUS = "\N{MINUS SIGN}"
ANNA = Actor("anna", Via.SESSION, "192.0.2.1")
JOBS = [
    {"name": "a", "schedule": "0 1 * * *", "command": "#!/bin/sh\nset -eu\n./load --since=1h\nexit 0"},
    {"name": "b", "schedule": "0 2 * * *", "command": "true", "timeout": "PT1H"},
]


def job(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "schedule": "0 3 * * *", "command": "true"} | rest


class CategoryCase(WebTestCase):
    def put(self, *jobs: dict[str, Any], category: str = "example", by: Actor = ANNA) -> None:
        self.write(replace_category, parse_document({"category": category, "jobs": list(jobs)}).category, by)

    def stored(self, name: str = "example") -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/api/category/{name}").json
        return found


class ListTests(CategoryCase):
    """All of them."""

    def test_counts(self) -> None:
        """Each has its jobs, how many fail or are paused, and who changed it last."""
        self.put(job("a"), job("b", enabled=False), job("c"), job("d"))
        self.write(pause_job, 3, None, "")
        self.write(remove_job, 4)
        other = self.write(add_category, "other")
        self.write(add_job, other, "x", last_run_status="failed")
        self.write(add_job, other, "y", last_run_status="succeeded")
        _, *rows = self.get("/categories").page.part("categories").texts("tr")
        self.assertEqual(
            rows[0], "example 3 \N{EN DASH} 2 now by anna 2026-11-23 07:05:20 UTC, logged in, from 192.0.2.1"
        )
        self.assertEqual(rows[1], "other 2 1 \N{EN DASH} not known")

    def test_latest_change(self) -> None:
        """The last one that changed something counts, and not who put the same in place again."""
        self.put(job("a"))
        self.now += timedelta(minutes=5)
        self.put(job("a"), by=Actor("eddy", Via.TOKEN, "192.0.2.1"))
        self.assertIn("5 minutes ago by anna", self.get("/categories").page.text)
        self.put(job("b"), by=Actor(None, Via.SHELL))
        self.assertIn("now by somebody", self.get("/categories").page.text)

    def test_pages(self) -> None:
        """Many categories are on several pages, by name, there and back."""
        self.patch(category_pages, "ON_A_PAGE", 4)
        names = [f"category {number:02} &/" for number in range(10)]
        for name in reversed(names):
            self.write(add_category, name)
        pages, path = [], "/categories"
        while path:
            page = self.get(path).page
            pages.append(
                [each.text for each in page.all("a") if each.attributes["href"].startswith("/category/")]
            )
            path = page.link("Those after →") if "Those after →" in page.texts("a") else ""
        self.assertEqual([len(each) for each in pages], [4, 4, 2])
        self.assertEqual(list(chain(*pages)), names)
        back = self.get(page.link("← Those before")).page
        self.assertEqual([each for each in back.texts("a") if each in names], pages[1])
        first = self.get(back.link("← Those before")).page
        self.assertEqual([each for each in first.texts("a") if each in names], pages[0])
        self.assertNotIn("← Those before", first.texts("a"))

    def test_none(self) -> None:
        """Without categories it says how to get one."""
        text = self.get("/categories").page.text
        self.assertIn("There are no categories yet.", text)
        self.assertIn("cronq apply FILE", text)


class CategoryTests(CategoryCase):
    """One of them."""

    def test_document(self) -> None:
        """It shows the document as it is stored, where to get it, and what to type."""
        self.put(*JOBS)
        page = self.get("/category/example").page
        (area,) = page.all("textarea")
        self.assertEqual(json.loads(area.text), {"category": "example", "jobs": JOBS})
        self.assertEqual(page.link("Download"), "/api/category/example")
        typed = page.texts("pre")
        self.assertEqual(
            typed,
            [
                "cronq export example > example.json",
                f"curl -o example.json {HOST}/api/category/example",
                "cronq apply example.json",
                f"curl -T example.json {HOST}/api/category/example",
            ],
        )
        self.assertIn("Last changed now by anna", page.text)
        self.assertIn("Whoever may edit a command can run code on the runners.", page.text)

    def test_long(self) -> None:
        """A document that is too long for a page can be had as a file."""
        self.put(*(job(f"job {number}", description="x" * 400) for number in range(150)))
        answer = self.get("/category/example")
        self.assertLess(len(answer.body), 100_000)
        self.assertIn("It is too long to be shown here.", answer.page.text)
        self.assertEqual(len(self.stored()["jobs"]), 150)
        self.put(*JOBS)
        self.assertNotIn("too long", self.get("/category/example").page.text)
        self.patch(category_pages, "MOST_WRITTEN", 1)
        self.assertIn("It is too long to be shown here.", self.get("/category/example").page.text)

    def test_hostile(self) -> None:
        """No name does any harm, on the page and in what is to be typed."""
        for name in (*HOSTILE_NAMES, "a b/c'; rm -rf ~", "$(reboot)"):
            self.put(job(name, command=f"</textarea>{name}"), category=name)
        links = {each.attributes["href"] for each in self.get("/categories").page.all("a")}
        links = {link for link in links if link.startswith("/category/")}
        self.assertEqual(len(links), len(HOSTILE_NAMES) + 2)
        for link in links:
            answer = self.get(link)
            self.assertEqual(answer.code, 200, link)
            self.assertTrue(answer.page.text)
        typed = self.get("/category/%24%28reboot%29").page.texts("pre")
        self.assertEqual(typed[0], "cronq export '$(reboot)' > reboot.json")

    def test_unknown(self) -> None:
        """A category that is not there is not found."""
        for path in ("/category/nope", "/api/category/nope", "/category/%FF", "/category/a%2Fb"):
            self.assertEqual(self.get(path).code, 404, path)


class DocumentApiTests(CategoryCase):
    """`GET /api/category/<name>`."""

    def test_round_trip(self) -> None:
        """What is given can be put in place again as it is, which changes nothing."""
        self.write(add_category, "legacy")
        self.write(add_job, 1, "gone")
        self.write(remove_job, 1)
        jitter = {
            "schedule": ["H * * * *", {"every": "PT90S"}],
            "jitter": "PT10S",
            "timezone": "Europe/Berlin",
        }
        self.put(
            job("a", **jitter, environment={"A": "größe"}),
            *JOBS[1:],
            {"name": "c", "command": "x", "after": ["b"]},
        )
        document = self.get("/api/category/example").body
        before = self.get("/api/jobs?per_page=100").body, self.get("/api/changes").body
        self.now += timedelta(minutes=1)
        self.assertEqual(self.ask("PUT", "/api/category/example", data=document).json, {"status": "success"})
        self.assertEqual((self.get("/api/jobs?per_page=100").body, self.get("/api/changes").body), before)
        self.assertEqual(self.get("/api/category/example").body, document)

    def test_for_people(self) -> None:
        """It is JSON in several lines, in the order of the ids of its jobs."""
        self.put(job("z"), job("größe"))
        answer = self.get("/api/category/example")
        self.assertEqual(answer.header("Content-Type"), "application/json; charset=utf-8")
        self.assertTrue(
            answer.text.startswith('{\n  "category": "example",\n  "jobs": [\n    {\n      "name": "z",')
        )
        self.assertIn('"größe"', answer.text)

    def test_inherited(self) -> None:
        """A job that 0.27 stored has its schedule in words of now; put in place, it keeps its next run."""
        legacy = self.write(add_category, "legacy")
        moment = self.now + timedelta(hours=2)
        self.write(add_job, legacy, "old", schedule=None, interval=timedelta(hours=6), next_run=moment)
        document = self.get("/api/category/legacy").body
        self.assertEqual(self.ask("PUT", "/api/category/legacy", data=document).code, 200)
        (found,) = self.get("/api/jobs").json["data"]["jobs"]
        self.assertEqual(found["next_run"], moment.isoformat(timespec="seconds"))
        self.assertEqual(found["interval"], 6 * 3600)


class DraftCase(CategoryCase):
    def form(self, path: str, fields: dict[str, str], file: bytes | None = None, **more: Any) -> Answer:
        """What a browser sends."""
        parts = [f'name="{name}"\r\n\r\n{text}'.encode() for name, text in fields.items()]
        parts.append(
            b'name="file"; filename="x.json"\r\nContent-Type: application/json\r\n\r\n' + (file or b"")
        )
        body = b"".join(b"--xyz\r\nContent-Disposition: form-data; " + part + b"\r\n" for part in parts)
        headers = {"Content-Type": "multipart/form-data; boundary=xyz"} | more.pop("headers", {})
        return self.post(path, data=body + b"--xyz--\r\n", headers=headers, **more)

    def look(self, *jobs: dict[str, Any], category: str = "example", **fields: str) -> Page:
        text = json.dumps({"category": category, "jobs": list(jobs)})
        answer = self.form("/categories", {"document": text} | fields)
        self.assertEqual(answer.code, 200, answer.text)
        return answer.page

    def inputs(self, page: Page) -> dict[str, str]:
        """What the form of a page has in it."""
        hidden = {each.attributes["name"]: each.attributes["value"] for each in page.all("input")}
        (area,) = page.all("textarea")
        return hidden | {"document": area.text}

    def button(self, page: Page) -> str | None:
        """The token of the button that puts it in place."""
        found = [each for each in page.all("button") if each.text == "Put it in place"]
        return found[0].attributes["value"] if found else None


class LookTests(DraftCase):
    """What a document would change."""

    def test_differences(self) -> None:
        """It is told job by job and key by key, and nothing is changed."""
        self.put(*JOBS, job("d"))
        changed = JOBS[0] | {"command": str(JOBS[0]["command"]).replace("1h", "2h"), "retries": 2}
        page = self.look(changed, JOBS[1], job("c", owner="<b>me</b>"))
        self.assertIn("1 added, 1 changed, 1 removed, 1 unchanged.", page.text)
        self.assertEqual([text.split()[0] for text in page.texts("h3")], ["+", "±", MINUS])
        self.assertEqual([text.split()[2] for text in page.texts("h3")], ["c", "a", "d"])
        self.assertEqual(
            page.texts("del"),
            ["-./load --since=1h", f"{MINUS} 0 3 * * *", f"{MINUS} true", f"{MINUS} default"],
        )
        self.assertEqual(
            page.texts("ins"),
            ["+ 0 3 * * *", "+ true", "+ default", "+ <b>me</b>", "+./load --since=2h", "+ 2"],
        )
        self.assertEqual([each["name"] for each in self.stored()["jobs"]], ["a", "b", "d"])
        self.assertEqual(self.wakes, 0)

    def test_faults(self) -> None:
        """Each fault is told with its line and its place, and so is what looks like a slip."""
        text = (
            '{"category": "example",\n "jobs": [\n  {"name": "", "schedule": "61 * * * *", "comand": "x"}]}'
        )
        answer = self.form("/categories", {"document": text})
        self.assertEqual(answer.code, 400)
        page = answer.page
        self.assertIn("there are 3 faults in the document", page.text)
        rows = page.texts("tr")
        self.assertIn("3 jobs[0].name must not be empty", rows)
        self.assertIn("3 jobs[0].schedule minute: 61 is not in 0 to 59 (at character 1)", rows)
        self.assertIn("3 jobs[0].comand unknown key, did you mean command?", rows)
        self.assertIsNone(self.button(page))
        self.assertEqual(page.all("textarea")[0].text, " ".join(text.split()))

    def test_faults_of_defaults(self) -> None:
        """Each wrong default is one line with its place, on the page and in the answer of the API alike."""
        answer = self.form("/categories", {"document": WRONG_DOCUMENT})
        self.assertEqual(answer.code, 400)
        told = [text for text in answer.page.texts("tr") if " defaults" in text]
        # A table has columns where a line has colons.
        self.assertEqual(told, [line.replace(": ", " ", 2) for line in WITH_LINES])
        answer = self.ask("PUT", "/api/category/example", data=WRONG_DOCUMENT.encode())
        self.assertEqual(answer.code, 400)
        faults = answer.json["error"]["faults"]
        self.assertEqual([f"{fault['place']}: {fault['message']}" for fault in faults], SENTENCES)
        self.assertEqual([fault["line"] for fault in faults], list(range(2, len(SENTENCES) + 2)))

    def test_warnings(self) -> None:
        """What was accepted but looks like a slip is told, and can be put in place."""
        page = self.look(job("a", shedule=1))
        self.assertIn("1 jobs[0].shedule unknown key, did you mean schedule?", page.texts("tr"))
        self.assertIsNotNone(self.button(page))

    def test_no_json(self) -> None:
        """What is no JSON, or nothing at all, is told so."""
        answer = self.form("/categories", {"document": "{"})
        self.assertEqual(answer.code, 400)
        self.assertIn("not JSON", answer.page.text)
        answer = self.form("/categories", {"document": " \r\n"})
        self.assertEqual(answer.code, 400)
        self.assertIn("There is no document: paste one, or choose a file.", answer.page.text)

    def test_file(self) -> None:
        """A file counts more than what is pasted."""
        file = json.dumps({"category": "example", "jobs": [job("from the file")]}).encode()
        page = self.form("/categories", {"document": "{}"}, file).page
        self.assertIn("from the file", page.text)
        answer = self.form("/categories", {"document": "{}"}, b"\xff")
        self.assertEqual(answer.code, 400)
        self.assertIn("file: expected UTF-8, and byte 1 is something else", answer.page.text)

    def test_urlencoded(self) -> None:
        """A form of the other kind, as `curl --data-urlencode` sends it, does as well."""
        text = json.dumps({"category": "example", "jobs": [job("a")]})
        self.assertIn("1 added", self.post("/categories", data={"document": text}).page.text)

    def test_of_a_category(self) -> None:
        """From the page of a category it has to be a document for that one, which need not say so."""
        self.put(job("a"))
        fields = {"category": "example", "document": json.dumps({"jobs": [job("a")]})}
        self.assertIn(
            "Nothing: the category has exactly these jobs", self.form("/categories", fields).page.text
        )
        fields["document"] = json.dumps({"category": "other", "jobs": []})
        answer = self.form("/categories", fields)
        self.assertEqual(answer.code, 400)
        self.assertIn('"other" is not the name in the address', answer.page.text)

    def test_nothing(self) -> None:
        """A document that changes nothing cannot be put in place."""
        self.put(job("a"))
        page = self.look(job("a"))
        self.assertIn("Nothing: the category has exactly these jobs, 1 of them.", page.text)
        self.assertIsNone(self.button(page))

    def test_many(self) -> None:
        """Of many jobs some are told one by one, and of the others how many they are."""
        self.patch(documents, "MOST_TOLD", 3)
        page = self.look(*(job(f"j{number}") for number in range(5)))
        self.assertIn("A new category: 5 added", page.text)
        self.assertEqual(len(page.texts("h3")), 3)
        self.assertIn("only the first 3 are told one by one", page.text)

    def test_large(self) -> None:
        """A form may be larger than others, up to a bound."""
        page = self.look(*(job(f"job {number}", description="größe" * 100) for number in range(200)))
        self.assertIn("200 added", page.text)
        self.patch(drafts, "LONGEST", 1000)
        answer = self.form("/categories", {"document": "x" * 1001})
        self.assertEqual(answer.code, 413)
        self.assertIn("cronq apply", answer.page.text)

    def test_cut_off(self) -> None:
        """A form without its end is refused."""
        headers = {"Content-Type": "text/plain"}
        body = b'--x\r\nContent-Disposition: form-data; name="document"\r\n\r\n{}'
        answer = self.post("/categories", data=body, headers=headers)
        self.assertEqual(answer.code, 400)
        self.assertIn("cut off", answer.page.text)


class PutTests(DraftCase):
    """Putting in place what was looked at."""

    def press(self, page: Page, **fields: str) -> Answer:
        token = self.button(page)
        assert token is not None
        return self.form("/category/example", self.inputs(page) | {"form_token": token} | fields)

    def test_put(self) -> None:
        """What was looked at is what is put in place, and the page of the category comes next."""
        self.put(*JOBS)
        answer = self.press(self.look(job("c")))
        self.assertEqual((answer.code, answer.header("Location")), (303, "/category/example"))
        self.assertEqual(self.stored()["jobs"], [job("c")])
        self.assertEqual(self.wakes, 1)
        change = self.get("/api/changes").json["data"]["changes"][0]
        self.assertEqual((change["action"], change["via"]), ("category.replaced", "open"))

    def test_new(self) -> None:
        """A category that was not there is made, also one without jobs."""
        self.assertEqual(self.press(self.look(job("a"))).code, 303)
        self.assertEqual(self.stored()["jobs"], [job("a")])
        page = self.look(category="empty")
        answer = self.form("/category/empty", self.inputs(page) | {"form_token": self.button(page) or ""})
        self.assertEqual(answer.code, 303)
        self.assertEqual(self.stored("empty")["jobs"], [])

    def test_changed_meanwhile(self) -> None:
        """When somebody has changed the category since, nothing is put in place, and one looks again."""
        self.put(job("a"))
        page = self.look(job("b"))
        self.put(job("a"), job("x"))
        answer = self.press(page)
        self.assertEqual(answer.code, 409)
        self.assertIn("Somebody has changed the category since you looked at it.", answer.page.text)
        self.assertIn("1 added, 0 changed, 2 removed, 0 unchanged.", answer.page.text)
        self.assertEqual([each["name"] for each in self.stored()["jobs"]], ["a", "x"])
        self.assertEqual(self.press(answer.page).code, 303)
        self.assertEqual(self.stored()["jobs"], [job("b")])

    def test_made_meanwhile(self) -> None:
        """The same when it was not there at all."""
        page = self.look(job("b"))
        self.put(job("a"))
        self.assertEqual(self.press(page).code, 409)

    def test_changed_back(self) -> None:
        """What has come to the same again is no conflict, and neither are runs and pauses."""
        self.put(job("a"))
        page = self.look(job("b"))
        self.put(job("a", retries=1))
        self.put(job("a"))
        self.write(pause_job, 1, None, "")
        self.assertEqual(self.press(page).code, 303)

    def test_edited(self) -> None:
        """A document that was changed after it was looked at is not put in place, but shown again."""
        self.put(job("a"))
        page = self.look(job("b"))
        other = json.dumps({"category": "example", "jobs": [job("c")]})
        answer = self.press(page, document=other)
        self.assertEqual(answer.code, 409)
        self.assertIn("The document is not the one that was looked at any more.", answer.page.text)
        self.assertIn("c", [text.split()[-1] for text in answer.page.texts("h3")])
        self.assertEqual(self.stored()["jobs"], [job("a")])
        self.assertEqual(self.press(answer.page).code, 303)
        self.assertEqual(self.stored()["jobs"], [job("c")])

    def test_edited_badly(self) -> None:
        """With a fault in it, it is told what is wrong."""
        page = self.look(job("b"))
        answer = self.press(page, document="{}")
        self.assertEqual(answer.code, 400)
        self.assertIn("jobs", answer.page.text)

    def test_ends_of_lines(self) -> None:
        """However a browser ends lines, the document is the same."""
        text = json.dumps({"category": "example", "jobs": [job("b")]}, indent=1)
        answer = self.form("/categories", {"document": text.replace("\n", "\r\n") + "\r\n"})
        self.assertEqual(self.press(answer.page, document=f"\r\n{text}").code, 303)

    def test_not_looked_at(self) -> None:
        """Without having looked at it, nothing is put in place."""
        text = json.dumps({"category": "example", "jobs": [job("b")]})
        for fields in ({}, {"seen": "x"}, {"before": "x"}):
            answer = self.form("/category/example", {"document": text} | fields)
            self.assertEqual(answer.code, 400)
            self.assertIn("Look first at what the document would change.", answer.page.text)
        self.assertEqual(self.get("/category/example").code, 404)

    def test_wrong_token(self) -> None:
        """A token that is for looking only is refused."""
        page = self.look(job("b"))
        (token,) = [each.attributes["value"] for each in page.all("button") if each.text != "Put it in place"]
        answer = self.press(page, form_token=token)
        self.assertEqual(answer.code, 403)

    def test_other_category(self) -> None:
        """What was looked at for one category is not put in place of another one."""
        page = self.look(job("b"))
        answer = self.form("/category/other", self.inputs(page))
        self.assertEqual(answer.code, 400)
        self.assertIn('"example" is not the name in the address', answer.page.text)


class RightsTests(DraftCase, PeopleCase):
    """Who may look, and who may put."""

    def test_viewer(self) -> None:
        """Whoever may only look sees what would change, and no button; the form is refused."""
        headers = self.session(Role.VIEWER) | SAME_ORIGIN
        text = json.dumps({"category": "mine", "jobs": []})
        page = self.form("/categories", {"document": text}, headers=headers).page
        self.assertIn("1 removed", page.text)
        self.assertIn("You may look at this, and not put it in place.", page.text)
        self.assertIsNone(self.button(page))
        self.assertEqual(self.form("/category/mine", self.inputs(page), headers=headers).code, 403)

    def test_limited(self) -> None:
        """Who is limited to a category puts documents in place there only."""
        headers = self.token(Role.EDITOR, "mine")
        for name, code in (("mine", 303), ("others", 403)):
            text = json.dumps({"category": name, "jobs": []})
            page = self.form("/categories", {"document": text}, headers=headers).page
            self.assertEqual(self.button(page) is not None, code == 303)
            answer = self.form(f"/category/{name}", self.inputs(page), headers=headers)
            self.assertEqual(answer.code, code)

    def test_token_in_commands(self) -> None:
        """Where one has to log in, what is to be typed has a token in it."""
        typed = self.get("/category/mine", headers=self.session(Role.VIEWER)).page.texts("pre")
        self.assertIn('-H "Authorization: Bearer $CRONQ_TOKEN"', typed[1])
        self.assertIn("-H 'Content-Type: application/json' -T mine.json", typed[3])
