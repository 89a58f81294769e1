"""The page with the jobs."""

from datetime import timedelta

from cronq.database.reading import job_pages
from cronq.database.reading.records import find_job
from cronq.domain.access import Role
from cronq.domain.runs import Status
from cronq.web.words.directions import visible
from tests.web.people import SAME_ORIGIN, PeopleCase
from tests.web.seed import (
    EVERY_MINUTE,
    HOSTILE_NAMES,
    NOW,
    add_category,
    add_full_run,
    add_job,
    add_run,
    remove_job,
)
from tests.web.support import Answer, WebTestCase


class JobListTests(WebTestCase):
    def names(self, path: str) -> list[str]:
        page = self.get(path).page
        return [each.text for each in page.all("a") if each.attributes["href"].startswith("/job/")]

    def test_empty(self) -> None:
        """Whoever has no jobs yet is told what to type, with the address that they came by."""
        page = self.get("/").page
        self.assertIn("No jobs yet", page.text)
        self.assertIn("cronq-validator --config hello.json", page.text)
        self.assertIn("curl -T hello.json http://cronq.example:5000/api/category/hello", page.text)

    def test_empty_example_is_right(self) -> None:
        """The document of the example can be put in as it stands."""
        (document, _commands) = self.get("/").page.texts("pre")
        self.assertEqual(self.ask("PUT", "/api/category/hello", data=document.encode()).code, 200)
        self.assertEqual(self.names("/"), ["Say hello"])

    def test_by_category(self) -> None:
        """Jobs stand below their category, in the order of their names."""
        second, first = self.write(add_category, "b"), self.write(add_category, "a")
        for category, name in ((first, "z"), (second, "y"), (first, "x")):
            self.write(add_job, category, name)
        text = self.get("/").page.text
        self.assertLess(text.index(" b "), text.index(" y "))
        self.assertEqual(self.names("/"), ["y", "x", "z"])

    def test_row(self) -> None:
        """A row says the state, the schedule in words, when it last ran and when it runs next."""
        category = self.write(add_category, "c")
        columns = {"current_status": "succeeded", "last_run_stop": NOW - timedelta(minutes=3)}
        job = self.write(add_job, category, "j", routing_key="slow", **columns)
        self.write(add_full_run, job, Status.SUCCEEDED, NOW - timedelta(minutes=3), 2.4)
        row = self.get("/").page.texts("tr")[-1]
        said, _, rest = row.partition(" Run … ")
        self.assertEqual(
            said, "succeeded j every minute on slow in 39 s 3 minutes ago took 2.4 s 1 succeeded"
        )
        self.assertEqual(rest, "Run now Pause until Reason Pause")

    def test_never_ran(self) -> None:
        """A job that never ran says so."""
        self.write(add_job, self.write(add_category, "c"), "j")
        row = self.get("/").page.texts("tr")[-1]
        self.assertTrue(row.startswith("never ran j every minute in 39 s never Run … "), row)

    def test_state_is_that_of_the_latest_run(self) -> None:
        """A job whose latest slot reached no runner does not look well because an earlier one did."""
        columns = {"current_status": "succeeded", "last_run_status": "succeeded"}
        job = self.write(add_job, self.write(add_category, "c"), "j", **columns)
        self.write(add_run, job, Status.SUCCEEDED)
        self.write(add_run, job, Status.UNROUTABLE)
        self.assertIn("unroutable", self.get("/").page.texts("tr")[-1])

    def test_running_wins(self) -> None:
        """A job with a run that is running is running, however many slots were skipped, or wait, since."""
        job = self.write(add_job, self.write(add_category, "c"), "j", current_status="starting")
        running = self.write(add_run, job, Status.RUNNING, queued_at=NOW)
        for status in [*[Status.SKIPPED] * 40, Status.QUEUED]:
            self.write(add_run, job, status)
        page = self.get("/").page
        self.assertTrue(page.texts("tr")[-1].startswith("running j "), page.texts("tr")[-1])
        self.assertEqual(page.link("running"), f"/run/{running}")
        self.assertIn("j running next run", self.get(f"/job/{job}").page.text)

    def test_exact_times_at_hand(self) -> None:
        """Each relative time has the exact one with it."""
        self.write(add_job, self.write(add_category, "c"), "j")
        *_, time = self.get("/").page.all("time")
        self.assertEqual(time.attributes["title"], "2026-11-23 07:06:00 UTC")
        self.assertEqual(time.attributes["datetime"], "2026-11-23T07:06:00Z")

    def test_removed_jobs_are_not_listed(self) -> None:
        """A job that was taken out of its category is not in the list."""
        job = self.write(add_job, self.write(add_category, "c"), "gone")
        self.write(remove_job, job)
        self.assertEqual(self.names("/"), [])

    def test_pages(self) -> None:
        """From page to page every job is met once, and the way back leads over the same pages."""
        for name in ("c", "d"):
            category = self.write(add_category, name)
            for number in range(60):
                self.write(add_job, category, f"{name}{number:03}")
        expected = [f"{name}{number:03}" for name in ("c", "d") for number in range(60)]
        paths, found = ["/"], []
        while True:
            page = self.get(paths[-1]).page
            found.append(self.names(paths[-1]))
            if "Next →" not in page.texts("a"):
                break
            paths.append(page.link("Next →"))
        self.assertEqual([len(names) for names in found], [40, 40, 40])
        self.assertEqual([each for page in found for each in page], expected)
        back = self.get(paths[-1]).page.link("← Previous")
        self.assertEqual(self.names(back), found[1])
        first = self.get(back).page
        self.assertEqual(self.names(first.link("← Previous")), found[0])
        self.assertNotIn("← Previous", self.get(first.link("← Previous")).page.texts("a"))

    def test_search(self) -> None:
        """What is searched for is part of the name or the command, in any case of letters."""
        category = self.write(add_category, "c")
        self.write(add_job, category, "Nightly Backup")
        self.write(add_job, category, "other", command="/bin/BACKUP-all")
        self.write(add_job, category, "third")
        self.assertEqual(self.names("/?q=backup"), ["Nightly Backup", "other"])
        self.assertEqual(self.names("/?q=%20NIGHTLY%20"), ["Nightly Backup"])

    def test_search_takes_signs_as_they_are(self) -> None:
        """Percent and underscore stand for themselves."""
        category = self.write(add_category, "c")
        self.write(add_job, category, "100% sure")
        self.write(add_job, category, "100 sure")
        self.assertEqual(self.names("/?q=0%25"), ["100% sure"])
        self.assertEqual(self.names("/?q=_"), [])

    def test_filters(self) -> None:
        """Category and state narrow the list, together with the search."""
        one, two = self.write(add_category, "one"), self.write(add_category, "two & more")
        failed = {"current_status": "failed", "last_run_status": "failed"}
        self.write(add_job, one, "a", **failed)
        self.write(add_job, one, "b")
        self.write(add_job, two, "c", **failed)
        running = self.write(add_job, two, "d", current_status="starting")
        self.write(add_run, running, Status.RUNNING)
        self.assertEqual(self.names("/?category=two+%26+more"), ["c", "d"])
        self.assertEqual(self.names("/?state=failing"), ["a", "c"])
        self.assertEqual(self.names("/?state=running"), ["d"])
        self.assertEqual(self.names("/?state=never"), ["b"])
        self.assertEqual(self.names("/?state=failing&category=one&q=a"), ["a"])

    def test_filter_stays_in_the_form(self) -> None:
        """The form shows what the list was filtered by, and the links to other pages keep it."""
        category = self.write(add_category, "a&b")
        for number in range(51):
            self.write(add_job, category, f"job {number}")
        page = self.get("/?q=job&category=a%26b&state=never&sort=next").page
        self.assertEqual(page.all("input")[0].attributes["value"], "job")
        chosen = [each.text for each in page.all("option") if "selected" in each.attributes]
        self.assertEqual(chosen, ["Never ran", "a&b", "Next run"])
        self.assertIn("q=job&category=a%26b&state=never&sort=next&after=", page.link("Next →"))

    def test_owner_and_tags(self) -> None:
        """Whose a job is, and its tags, lead to the other jobs of the same, and can be chosen."""
        for name, owner, tags in (("a", "me", ["x", "y"]), ("b", "me", []), ("c", "you & they", ["y"])):
            job = {"name": name, "schedule": EVERY_MINUTE, "command": "true", "owner": owner, "tags": tags}
            self.ask("PUT", f"/api/category/{name}", json={"jobs": [job]})
        page = self.get("/").page
        self.assertEqual(self.names(page.link("me")), ["a", "b"])
        self.assertEqual(self.names(page.link("y")), ["a", "c"])
        self.assertEqual(self.names(page.link("you & they")), ["c"])
        self.assertEqual(self.names("/?owner=me&tag=y"), ["a"])
        options = page.texts("option")
        self.assertLessEqual({"Anybody", "me", "you & they", "x", "y"}, set(options))

    def test_hostile(self) -> None:
        """Owners and tags are text, whatever is in them, and can be searched by."""
        for number, name in enumerate(HOSTILE_NAMES):
            job = {
                "name": name,
                "schedule": EVERY_MINUTE,
                "command": name,
                "owner": name,
                "tags": [name[:64]],
            }
            put = self.ask("PUT", f"/api/category/{number}", json={"jobs": [job]})
            self.assertEqual(put.code, 200, put.text)
        page = self.get("/?sort=last").page
        for name in HOSTILE_NAMES:
            shown = visible(" ".join(name.split()))
            links = {each.attributes["href"] for each in page.all("a") if each.text == shown}
            (owner,) = [link for link in links if "owner=" in link]
            self.assertEqual([" ".join(each.split()) for each in self.names(owner)], [shown])

    def test_orders(self) -> None:
        """The head of a column puts the list in its order, and once more turns it round."""
        category = self.write(add_category, "c")
        for number, name in enumerate(("b", "c", "a")):
            times = {"next_run": NOW + timedelta(hours=number), "last_run_stop": NOW - timedelta(days=number)}
            self.write(add_job, category, name, **times)
        page = self.get("/").page
        expected = (("Next run", "bca"), ("Last run", "bca"), ("Job ↑", "cba"))
        for head, order in expected:
            path = page.link(head)
            self.assertEqual("".join(self.names(path)), order, head)
        turned = self.get(page.link("Next run")).page
        (sorted_by,) = [each for each in turned.all("th") if "aria-sort" in each.attributes]
        self.assertEqual((sorted_by.text, sorted_by.attributes["aria-sort"]), ("Next run ↑", "ascending"))
        self.assertEqual("".join(self.names(turned.link("Next run ↑"))), "acb")

    def test_category_in_another_order(self) -> None:
        """Where jobs do not stand below their category, each says which it is."""
        self.write(add_job, self.write(add_category, "one"), "a")
        page = self.get("/?sort=last").page
        self.assertEqual(page.link("one"), "/?category=one&sort=last")
        self.assertIn("a one", page.texts("tr")[-1])

    def test_wrong_order_and_place(self) -> None:
        """What is no order, and no place in one, is said to be wrong, on a page."""
        for path, said in (
            ("/?sort=bogus", "sort: expected one of name, next, last, usual"),
            ("/?after=bogus", "after: it is no place in a list of jobs"),
            ("/?sort=next&before=1-1e999", "before: it is no place in a list of jobs"),
            ("/?sort=next&after=1-99999999999999999999999999", "after: it is no place"),
            ("/?sort=usual&after=1-1e999", "after: it is no place"),
            ("/?sort=usual&after=1-inf", "after: it is no place"),
        ):
            answer = self.get(path)
            self.assertEqual(answer.code, 400, path)
            self.assertIn(said, answer.page.text)

    def test_paused(self) -> None:
        """A paused job says so, and until when, and why."""
        job = self.write(add_job, self.write(add_category, "c"), "j", paused_until=NOW + timedelta(days=1))
        self.write(add_run, job, Status.SKIPPED)
        page = self.get("/?state=paused").page
        self.assertTrue(page.texts("tr")[-1].startswith("paused j "), page.texts("tr"))
        titles = [each.attributes.get("title") for each in page.all("span")]
        self.assertIn("paused until 2026-11-24 07:05:20 UTC", titles)

    def test_late(self) -> None:
        """A job whose slot nobody takes stands among the late ones."""
        category = self.write(add_category, "c")
        self.write(add_job, category, "in time")
        self.write(add_job, category, "late", next_run=NOW - timedelta(minutes=5))
        self.assertEqual(self.names("/?state=late"), ["late"])
        self.assertIn("never ran late late every minute", self.get("/?state=late").page.texts("tr")[-1])

    def test_latest_trouble(self) -> None:
        """The last run that came to no good end is one click away, and so is the latest."""
        job = self.write(add_job, self.write(add_category, "c"), "j")
        failed = self.write(add_full_run, job, Status.FAILED, NOW - timedelta(hours=3))
        latest = self.write(add_full_run, job, Status.SUCCEEDED, NOW - timedelta(hours=1))
        page = self.get("/").page
        self.assertEqual(page.link("failed 2 hours ago"), f"/run/{failed}")
        self.assertEqual(page.link("succeeded"), f"/run/{latest}")

    def test_look_on(self) -> None:
        """A search that has looked at enough jobs says so, and goes on where it is asked to."""
        self.patch(job_pages, "STEPS", (2, 3))
        self.patch(job_pages, "FEW", 0)
        category = self.write(add_category, "c")
        for number in range(9):
            self.write(add_job, category, f"job {number}")
        page = self.get("/?q=job+7").page
        self.assertIn("jobs have been looked through for this page, and none of them is like that", page.text)
        self.assertEqual(self.names(page.link("Look on →")), ["job 7"])

    def test_nothing_found(self) -> None:
        """A search without a result leads back to all jobs."""
        self.write(add_job, self.write(add_category, "c"), "j")
        page = self.get("/?q=nothing").page
        self.assertIn("No job is like that.", page.text)
        self.assertEqual(page.link("Show all jobs"), "/")

    def test_unknown_state(self) -> None:
        """A state that does not exist is said to be wrong, on a page."""
        answer = self.get("/?state=bogus")
        self.assertEqual(answer.code, 400)
        expected = 'expected one of failing, running, succeeded, paused, late, never, found "bogus"'
        self.assertIn(expected, answer.page.text)

    def test_no_injector(self) -> None:
        """When slots wait and no injector takes them, the list says so first."""
        category = self.write(add_category, "c")
        self.write(add_job, category, "j", next_run=NOW - timedelta(minutes=5, seconds=1))
        page = self.get("/").page
        self.assertIn("A slot has been waiting for 5 minutes", page.text)
        self.assertIn("due 5 minutes ago", page.text)

    def test_injector_in_time(self) -> None:
        """A slot that is due this very moment alarms nobody."""
        self.write(add_job, self.write(add_category, "c"), "j", next_run=NOW - timedelta(seconds=2))
        self.assertNotIn("waiting", self.get("/").page.text)


class ActTests(WebTestCase):
    """Running and pausing jobs where they stand in the list."""

    def setUp(self) -> None:
        super().setUp()
        category = self.write(add_category, "c")
        self.a, self.b = (self.write(add_job, category, name) for name in ("a", "b"))

    def act(self, path: str = "/", **fields: str) -> Answer:
        """What the form of the list sends: the fields of all rows, and the button that was pressed."""
        page = self.get(path).page
        names = [each.attributes["name"] for each in page.all("input") if "form" in each.attributes]
        sent = dict.fromkeys(names, "") | {"form_token": page.token()} | fields
        return self.post(path, data=sent)

    def test_run(self) -> None:
        """One click makes a run of that job, and leads back to the list as it was searched for."""
        answer = self.act("/?q=a&sort=next", run=str(self.a))
        self.assertEqual((answer.code, answer.header("Location")), (303, "/?q=a&sort=next"))
        self.assertEqual(self.wakes, 1)
        queued = [each for each in self.get("/").page.texts("tr") if each.startswith("queued")]
        self.assertEqual(len(queued), 1)
        self.assertIn("queued a", queued[0])

    def test_pause(self) -> None:
        """Until when and why is read from the fields of that row, and of no other."""
        fields = {f"until-{self.a}": "PT1H", f"reason-{self.a}": "it is moved", f"reason-{self.b}": "wrong"}
        self.assertEqual(self.act(pause=str(self.a), **fields).header("Location"), "/")
        job = self.write(find_job, self.a)
        self.assertEqual((job.paused_until, job.pause_reason), (NOW + timedelta(hours=1), "it is moved"))
        self.assertIsNone(self.write(find_job, self.b).paused_until)
        self.act(resume=str(self.a))
        self.assertIsNone(self.write(find_job, self.a).paused_until)

    def test_paused_for_ever(self) -> None:
        """Without an end it lasts until somebody resumes it."""
        self.act(pause=str(self.b))
        self.assertIn("paused b", self.get("/?state=paused").page.text)

    def test_wrong(self) -> None:
        """What cannot be done is said on a page."""
        for fields, code, said in (
            ({"run": "99"}, 404, "There is no job 99"),
            ({"run": "x"}, 400, "run: expected a whole number"),
            ({"pause": str(self.a), f"until-{self.a}": "yesterday"}, 400, "until: "),
            ({"pause": str(self.a), f"reason-{self.a}": "x" * 2000}, 400, "reason"),
            ({}, 400, "Say what is to be done"),
        ):
            answer = self.act(**fields)
            self.assertEqual((answer.code, said in answer.page.text), (code, True), answer.page.text)

    def test_enter(self) -> None:
        """The form has a default button that does nothing, so that Enter in a field runs no job."""
        elements = iter(self.get("/").page.elements)
        form = next(each for each in elements if each.attributes.get("id") == "act")
        self.assertIn("hidden", form.attributes)
        self.assertIn("disabled", next(each for each in elements if each.tag == "button").attributes)


class ActRoleTests(PeopleCase):
    """Who may."""

    def test_buttons(self) -> None:
        """Each is there where it may be used."""
        self.assertNotIn("Run now", self.get("/", headers=self.session(Role.VIEWER)).text)
        buttons = self.get("/", headers=self.session(Role.OPERATOR)).page.texts("button")
        self.assertEqual(buttons.count("Run now"), 2)
        limited = self.get("/", headers=self.token(Role.OPERATOR, "mine")).page.texts("button")
        self.assertEqual(limited.count("Run now"), 1)

    def test_others(self) -> None:
        """Whoever is limited to a category acts in it only, whatever they send."""
        headers = self.token(Role.OPERATOR, "mine") | SAME_ORIGIN
        for deed in ("run", "pause", "resume"):
            self.assertEqual(self.post("/", data={deed: "1"}, headers=headers).code, 303, deed)
            self.assertEqual(self.post("/", data={deed: "2"}, headers=headers).code, 403, deed)
