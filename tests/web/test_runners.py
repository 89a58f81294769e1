"""The runners, on their pages and in the API."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, delete, select, update

from cronq.database.tables import orders, runners
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.runs import Status
from cronq.web.pages import runners as runner_pages
from cronq.web.words.directions import visible
from tests.web.markup import Page
from tests.web.seed import (
    HOSTILE_NAMES,
    NOW,
    add_category,
    add_full_run,
    add_job,
    add_run,
    add_runner,
    remove_job,
)
from tests.web.support import Answer, WebTestCase

UP, DRAINING, STOPPED, SILENT = RunnerStatus
SLOT = "2026-11-23 07:05:00 UTC"


class RunnersCase(WebTestCase):
    """Runner `w` is up and has a run in hand."""

    def setUp(self) -> None:
        super().setUp()
        self.job = self.write(add_job, self.write(add_category, "c"), "j")
        self.write(add_runner, "w", busy=1)
        self.run_id = self.write(
            add_full_run, self.job, Status.RUNNING, NOW.replace(second=0, microsecond=0), None, runner="w"
        )

    def set_status(self, status: RunnerStatus) -> None:
        self.write(lambda connection: connection.execute(update(runners).values(status=status.value)))

    def ordered(self) -> list[tuple[str, str]]:
        """The orders that there are."""

        def read(connection: Connection) -> list[tuple[str, str]]:
            return [(row.kind, row.runner) for row in connection.execute(select(orders))]

        found: list[tuple[str, str]] = self.write(read)
        return found


class ApiTests(RunnersCase):
    """`/api/runners`."""

    def runner(self, name: str = "w") -> Any:
        return self.get(f"/api/runners/{quote(name, safe='')}").json["data"]["runner"]

    def listed(self, query: str = "") -> list[str]:
        return [each["id"] for each in self.get(f"/api/runners{query}").json["data"]["runners"]]

    def drain(self, name: str = "w") -> Answer:
        return self.post(f"/api/runners/{quote(name, safe='')}/drain")

    def test_runner(self) -> None:
        """All that is known of a runner, with what it runs."""
        self.write(add_full_run, self.job, Status.RUNNING, NOW, None, runner="another")
        self.write(add_full_run, self.job, Status.SUCCEEDED, NOW + timedelta(minutes=1), runner="w")
        held = {
            "id": self.run_id,
            "job_id": self.job,
            "category": "c",
            "name": "j",
            "slot": "2026-11-23T07:05:00",
            "attempt": 1,
            "started_at": "2026-11-23T07:05:00",
        }
        expected = {
            "id": "w",
            "host": "worker-1.example.net",
            "version": "1.0.0",
            "status": "up",
            "queue": "cronq_jobs",
            "routing_keys": ["default"],
            "concurrency": 4,
            "busy": 1,
            "runs": [held],
            "clock_ahead": 0.012,
            "first_heard": "2026-11-21T07:05:20",
            "last_heard": "2026-11-23T07:05:15",
            "silent_for": 5.0,
            "drain_ordered_at": None,
        }
        self.assertEqual(self.runner(), expected)
        self.assertEqual(self.get("/api/runners").json, {"data": {"runners": [expected]}})

    def test_run_of_a_deleted_job(self) -> None:
        """A run whose job 0.27 has deleted is held all the same."""
        self.write(add_run, 4711, Status.RUNNING, runner="v")
        self.write(add_runner, "v")
        (held,) = self.runner("v")["runs"]
        self.assertEqual((held["job_id"], held["name"], held["category"]), (4711, None, None))

    def test_none(self) -> None:
        """No runners are an empty list."""
        self.write(lambda connection: connection.execute(delete(runners)))
        self.assertEqual(self.get("/api/runners").json, {"data": {"runners": []}})

    def test_pages(self) -> None:
        """They come by id, ten at a time, or as many as are asked for, of one status or of all."""
        for number in range(20):
            self.write(add_runner, f"r{number:02}", STOPPED if number % 2 else UP)
        names = [f"r{number:02}" for number in range(20)]
        self.assertEqual(self.listed(), names[:10])
        self.assertEqual(self.listed("?page=1"), names[10:])
        self.assertEqual(self.listed("?page=2"), ["w"])
        self.assertEqual(self.listed("?per_page=7&page=2"), [*names[14:], "w"])
        self.assertEqual(self.listed("?per_page=100&status=stopped"), names[1::2])
        self.assertEqual(self.listed("?status=silent"), [])

    def test_bad_input(self) -> None:
        """What cannot be understood is refused, with the place."""
        for query, said in (
            ("status=asleep", 'status: expected one of up, draining, stopped, silent, found "asleep"'),
            ("page=-1", "page: expected a whole number from 0"),
            ("per_page=0", "per_page: expected a whole number from 1"),
        ):
            answer = self.get(f"/api/runners?{query}")
            self.assertEqual(answer.code, 400, query)
            self.assertIn(said, answer.json["error"]["message"])

    def test_unknown(self) -> None:
        """An id that no runner has is not found, whatever it looks like."""
        for name in ("nobody", "W", "w ", "../w", "%", "\0", "'; --", "x" * 5000, "<script>", "🦊"):
            for answer in (self.get(f"/api/runners/{quote(name, safe='')}"), self.drain(name)):
                self.assertEqual(answer.code, 404, name)
                self.assertIn("There is no runner", answer.json["error"]["message"])
        for path in ("/api/runners/", "/api/runners/%FF", "/api/runners/w/", "/api/runners/w/drain/x"):
            self.assertEqual(self.get(path).code, 404, path)
        self.assertEqual(self.ordered(), [])

    def test_drain(self) -> None:
        """A runner is told to drain once, however often it is asked for."""
        for seconds in range(3):
            answer = self.drain()
            self.assertEqual(answer.code, 200)
            self.assertIn("Runner w is told to drain", answer.json["success"]["message"])
            self.now = NOW + timedelta(seconds=seconds)
        self.assertEqual(self.ordered(), [("drain", "w")])
        self.assertEqual(self.runner()["drain_ordered_at"], "2026-11-23T07:05:20")
        self.set_status(DRAINING)
        self.assertEqual(self.drain().json, {"success": {"message": "Runner w is draining already."}})
        self.assertIsNone(self.runner()["drain_ordered_at"])
        self.set_status(STOPPED)
        self.assertEqual(self.drain().json, {"success": {"message": "Runner w has stopped already."}})
        self.assertEqual(self.ordered(), [("drain", "w")])

    def test_drain_of_a_silent_one(self) -> None:
        """What hears nothing cannot be told anything."""
        self.set_status(SILENT)
        answer = self.drain()
        self.assertEqual(answer.code, 409)
        self.assertIn("Runner w is silent", answer.json["error"]["message"])
        self.assertEqual(self.ordered(), [])

    def test_any_name(self) -> None:
        """Whatever an id is made of, it is reached by percent-encoding."""
        for name in (name[:64] for name in (*HOSTILE_NAMES, "a/b", ".", "a?b#c", " ", "100%")):
            self.write(add_runner, name)
            self.assertEqual(self.runner(name)["id"], name)
            self.assertEqual(self.drain(name).code, 200)
            self.assertIn(("drain", name), self.ordered())


class ListTests(RunnersCase):
    """`/runners`."""

    def rows(self, path: str = "/runners") -> list[str]:
        return self.get(path).page.texts("tr")[1:]

    def test_row(self) -> None:
        """A row says in words how it is with a runner, and leads to its page."""
        heard = "5 s ago 2026-11-23 07:05:15 UTC"
        row = f"up w on worker-1.example.net 1 of 4 cronq_jobs default {heard} in step 1.0.0"
        self.assertEqual(self.rows(), [row])
        self.assertEqual(self.get("/runners").page.link("w"), "/runner/w")
        self.post("/api/runners/w/drain")
        self.assertIn("on worker-1.example.net, told to drain", self.rows()[0])

    def test_order_and_choices(self) -> None:
        """Who is up comes first; the choices say how many there are of each kind."""
        for status in (STOPPED, SILENT, DRAINING, UP):
            self.write(add_runner, f"a-{status}", status)
        self.assertEqual(
            [row.split(" on ")[0] for row in self.rows()],
            ["up a-up", "up w", "draining a-draining", "silent a-silent", "stopped a-stopped"],
        )
        (choices,) = [each.text for each in self.get("/runners").page.all("nav") if "all" in each.text]
        self.assertEqual(choices, "all 5 up 2 draining 1 silent 1 stopped 1")
        self.assertEqual(len(self.rows("/runners?status=up")), 2)
        self.assertIn("silent a-silent", self.rows("/runners?status=silent")[0])

    def test_clocks(self) -> None:
        """How far a clock is off is said in words."""
        for seconds, words in ((0.9, "in step"), (-75.0, "1 minute behind"), (7200.5, "2 hours ahead")):
            self.write(
                lambda connection, s=seconds: connection.execute(update(runners).values(clock_ahead=s))
            )
            self.assertIn(f" {words} ", self.rows()[0])

    def test_none(self) -> None:
        """Without a runner the page says which command starts one."""
        self.write(lambda connection: connection.execute(delete(runners)))
        page = self.get("/runners").page
        self.assertEqual(page.texts("pre"), ["twistd -n cronq-runner"])
        self.assertEqual(page.all("table"), [])

    def test_none_of_a_status(self) -> None:
        """A choice that nobody is in leads back to all."""
        page = self.get("/runners?status=silent").page
        self.assertIn("No runner is silent.", page.text)
        self.assertEqual(page.link("Show all runners"), "/runners")
        self.assertEqual(self.get("/runners?status=asleep").code, 400)
        self.assertEqual(self.get("/runners?page=x").code, 400)

    def test_nobody_listens(self) -> None:
        """When nothing has been heard of anybody for long, it is said what that means."""
        self.assertNotIn("cronq-results", self.get("/runners").page.text)
        self.now = NOW + timedelta(minutes=5)
        self.assertIn("No runner has been heard of for 5 minutes.", self.get("/runners").page.text)
        self.set_status(STOPPED)
        self.assertNotIn("cronq-results", self.get("/runners").page.text)

    def test_pages(self) -> None:
        """Many runners are on several pages."""
        self.patch(runner_pages, "RUNNERS_ON_A_PAGE", 2)
        for number in range(4):
            self.write(add_runner, f"r{number}")
        found: list[str] = []
        path = "/runners?status=up"
        while path:
            page = self.get(path).page
            found += [each.text.split()[1] for each in page.all("tr")[1:]]
            path = page.link("Next →") if "Next →" in page.texts("a") else ""
        self.assertEqual(found, ["r0", "r1", "r2", "r3", "w"])
        self.assertIn("There are no more runners.", self.get("/runners?page=9").page.text)


class PageTests(RunnersCase):
    """`/runner/<id>`."""

    def page(self) -> Page:
        return self.get("/runner/w").page

    def send(self, **fields: str) -> Answer:
        """Send the form, or what is made of it."""
        return self.post("/runner/w", data=fields)

    def token(self) -> str:
        return self.page().all("input")[0].attributes["value"]

    def test_facts(self) -> None:
        """What it is, how it is, and what it runs."""
        page = self.page()
        self.assertEqual(
            page.texts("dd"),
            [
                "worker-1.example.net",
                "1.0.0",
                "cronq_jobs",
                "default",
                "1 of 4",
                "2 days ago 2026-11-21 07:05:20 UTC",
                "5 s ago 2026-11-23 07:05:15 UTC",
                "in step +12 ms from the database's",
            ],
        )
        self.assertEqual(
            page.texts("tr")[1],
            f"running j c 20 s ago {SLOT} 19 s ago {SLOT} {self.run_id}",
        )
        self.assertEqual(
            (page.link("j"), page.link(self.run_id)), (f"/job/{self.job}", f"/run/{self.run_id}")
        )

    def test_words(self) -> None:
        """Each state has its sentence; only who is up can be drained."""
        for status, words, buttons in (
            (UP, "It takes work.", ["Drain"]),
            (DRAINING, "It takes nothing new, and ends when what it has in hand is over.", []),
            (SILENT, "Nothing has been heard of it for too long.", []),
            (STOPPED, "It has ended.", []),
        ):
            self.set_status(status)
            page = self.page()
            self.assertIn(words, page.text)
            self.assertIn(f"w {status} last heard 5 s ago", page.text)
            self.assertEqual(page.texts("button"), buttons)

    def test_drained(self) -> None:
        """One that has nothing in hand any more says so."""
        self.write(add_runner, "v", DRAINING)
        self.assertIn("It takes nothing new, and has nothing in hand", self.get("/runner/v").page.text)

    def test_idle(self) -> None:
        """Who runs nothing says so."""
        self.write(add_runner, "v")
        self.assertIn("It runs nothing now.", self.get("/runner/v").page.text)

    def test_many_runs(self) -> None:
        """Of very many runs the oldest are shown, and how many there are."""
        self.patch(runner_pages, "MOST_RUNS", 2)
        for minutes in range(1, 5):
            self.write(
                add_full_run, self.job, Status.RUNNING, NOW + timedelta(minutes=minutes), None, runner="w"
            )
        page = self.page()
        self.assertEqual(len(page.all("tr")), 3)
        self.assertIn("And 3 more.", page.text)

    def test_removed_job(self) -> None:
        """What it runs of a removed job says so."""
        self.write(remove_job, self.job)
        self.assertIn("j c, removed", self.page().text)

    def test_drain(self) -> None:
        """The button orders it to drain and leads back to the page, which says so."""
        answer = self.send(form_token=self.token())
        self.assertEqual((answer.code, answer.header("Location")), (303, "/runner/w"))
        self.assertEqual(self.ordered(), [("drain", "w")])
        page = self.page()
        self.assertIn("It is told to drain", page.text)
        self.assertIn("Told to drain now 2026-11-23 07:05:20 UTC", page.text)
        self.assertEqual(page.texts("button"), [])

    def test_drain_twice(self) -> None:
        """A form that is sent twice, or too late, does no harm."""
        token = self.token()
        for status in (UP, UP, DRAINING, STOPPED):
            self.set_status(status)
            self.assertEqual(self.send(form_token=token).code, 303)
        self.assertEqual(self.ordered(), [("drain", "w")])
        self.set_status(SILENT)
        answer = self.send(form_token=token)
        self.assertEqual(answer.code, 409)
        self.assertIn("Runner w is silent", answer.page.text)

    def test_forged(self) -> None:
        """A form that is not ours, is old, or is that of another runner drains nothing."""
        token = self.token()
        self.write(add_runner, "v")
        self.assertEqual(self.post("/runner/v", data={"form_token": token}).code, 403)
        for forged in ("", "x", token[:-1], token + "0"):
            self.assertEqual(self.send(form_token=forged).code, 403)
        self.assertEqual(
            self.post("/runner/w", data={"form_token": token}, headers={"Sec-Fetch-Site": "cross-site"}).code,
            403,
        )
        self.seconds += 86_401
        self.assertEqual(self.send(form_token=token).code, 403)
        self.assertEqual(self.ordered(), [])

    def test_unknown(self) -> None:
        """A runner that is not there, or is forgotten, is not found."""
        for path in ("/runner/nobody", "/runner/%3Cscript%3E", "/runner/%FF", "/runner/", "/runner/w/x"):
            answer = self.get(path)
            self.assertEqual(answer.code, 404, path)
            self.assertTrue(answer.page.text)

    def test_from_the_run(self) -> None:
        """The page of a run leads to its runner, as long as that is not forgotten."""
        self.assertEqual(self.get(f"/run/{self.run_id}").page.link("w"), "/runner/w")
        self.write(lambda connection: connection.execute(delete(runners)))
        self.assertNotIn("w", self.get(f"/run/{self.run_id}").page.texts("a"))

    def test_hostile_names(self) -> None:
        """Whatever an id is made of, its page is reached from the list, and its form works."""
        for name in (name[:64] for name in HOSTILE_NAMES):
            self.write(add_runner, name)
            shown = visible(" ".join(name.split()))
            path = self.get("/runners").page.link(shown)
            page = self.get(path).page
            self.assertIn(shown, page.texts("h1"))
            token = page.all("input")[0].attributes["value"]
            answer = self.post(path, data={"form_token": token})
            self.assertEqual((answer.code, answer.header("Location")), (303, path))

    def test_in_the_navigation(self) -> None:
        """Every page leads to the list."""
        self.assertEqual(self.get("/").page.link("Runners"), "/runners")
