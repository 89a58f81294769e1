"""The page of a job: its days, its chart, and the search among its runs."""

from datetime import date, datetime, timedelta
from typing import Any

from cronq.database.categories import replace_category
from cronq.database.counting import COMMITTED, count_days
from cronq.database.reading import run_windows
from cronq.domain.access import Actor, Via
from cronq.domain.documents import parse_document
from cronq.domain.rules import Rules
from cronq.domain.runs import Status
from tests.web.markup import Element, Page
from tests.web.seed import HOSTILE_NAMES, NOW, add_category, add_full_run, add_job, add_run
from tests.web.support import WebTestCase

DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 23)


class RunsCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.category = self.write(add_category, "c")
        self.job = self.write(
            add_job, self.category, "j", rules=Rules(timeout=timedelta(seconds=30)).encode()
        )
        self.path = f"/job/{self.job}"

    def look(self, query: str = "") -> Page:
        answer = self.get(f"{self.path}{query}")
        self.assertEqual(answer.code, 200, answer.text[:300])
        return answer.page

    def found(self, query: str) -> list[str]:
        """The states of the runs that are listed."""
        return [each for each in self.look(query).part("found").texts("td") if each in {*Status, "timed out"}]

    def add(self, status: Status = Status.SUCCEEDED, ago: timedelta = timedelta(0), **rest: Any) -> str:
        run_id: str = self.write(add_full_run, self.job, status, MIDNIGHT + timedelta(hours=3) - ago, **rest)
        return run_id


class DaysTests(RunsCase):
    """The days of a year."""

    def days(self) -> list[Element]:
        return [each for each in self.look().part("year").all("a") if "day=" in each.attributes["href"]]

    def test_days(self) -> None:
        """Each day has the class of its worst state, says what there was, and leads to its runs."""
        self.add()
        self.add(Status.FAILED, timedelta(hours=1))
        self.add(ago=DAY)
        self.add(Status.MISSED, 300 * DAY)
        expected = [
            ("missed", f"{self.path}?day=2026-01-27#runs", "27 Jan 2026: 1 missed"),
            ("failed mixed", f"{self.path}?day=2026-11-23#runs", "23 Nov 2026: 1 failed, 1 succeeded"),
            ("succeeded", f"{self.path}?day=2026-11-22#runs", "22 Nov 2026: 1 succeeded"),
        ]
        names = ("class", "href", "title")
        for _ in range(2):
            found = [tuple(each.attributes[name] for name in names) for each in self.days()]
            self.assertEqual(sorted(found), sorted(expected))
            self.now += COMMITTED
            self.write(count_days)

    def test_totals(self) -> None:
        """Below them stands how many came to what, and leads to those runs."""
        self.add(Status.TIMED_OUT)
        self.add(ago=DAY)
        links = {each.text: each.attributes["href"] for each in self.look().part("year").all("a")}
        self.assertEqual(links["timed out 1"], f"{self.path}?state=timed_out#runs")
        self.assertEqual(links["succeeded 1"], f"{self.path}?state=succeeded#runs")

    def test_chosen(self) -> None:
        """The day that is looked at is marked, told in words, and has neighbours."""
        self.add(ago=DAY)
        page = self.look("?day=2026-11-22")
        (chosen,) = [each for each in page.all("a") if "aria-current" in each.attributes]
        self.assertEqual(chosen.attributes["title"], "22 Nov 2026: 1 succeeded")
        text = page.part("runs").text
        self.assertIn("Runs of Sunday, 22 November 2026", text)
        self.assertIn("On that day: 1 succeeded.", text)
        self.assertEqual(page.link("← The day before"), f"{self.path}?day=2026-11-21#runs")
        self.assertEqual(page.link("The day after →"), f"{self.path}?day=2026-11-23#runs")
        self.assertIn("Nothing is known of that day.", self.look("?day=2026-03-01").text)

    def test_pruned(self) -> None:
        """A day whose runs are gone still says how many they were."""
        self.add(ago=DAY)
        self.now += COMMITTED
        self.write(count_days)
        self.write(lambda connection: connection.exec_driver_sql("DELETE FROM runs") and None)
        self.assertIn("On that day: 1 succeeded. ", self.look("?day=2026-11-22").text)
        self.assertIn("No such runs.", self.look("?day=2026-11-22").text)


class ChartTests(RunsCase):
    """How long it takes."""

    def test_chart(self) -> None:
        """Each run is a mark that leads to it, and the chart says what it shows."""
        run_id = self.add(took=2.5)
        part = self.look().part("took")
        (chart,) = [each for each in part.all("svg") if "role" in each.attributes]
        self.assertEqual(chart.attributes["aria-label"], "The last run took 2.5 s.")
        self.assertIn(f"/run/{run_id}", [each.attributes["href"] for each in part.all("a")])
        self.assertIn("timeout 30 s, above the picture", part.text)

    def test_none(self) -> None:
        """Without runs it says so."""
        self.assertIn("Nothing has run yet.", self.look().part("took").text)


class SearchTests(RunsCase):
    """Those of its runs that somebody looks for."""

    def test_state(self) -> None:
        """Only those of the state are listed, and the form remembers it."""
        for number, status in enumerate((Status.FAILED, Status.SUCCEEDED, Status.FAILED, Status.LOST)):
            self.add(status, timedelta(minutes=number))
        self.assertEqual(self.found("?state=failed"), ["failed", "failed"])
        chosen = [
            each.text for each in self.look("?state=failed").all("option") if "selected" in each.attributes
        ]
        self.assertEqual(chosen, ["failed"])
        self.assertEqual(self.look("?state=failed").link("Clear"), f"{self.path}#runs")

    def test_by_hand(self) -> None:
        """Only those by hand."""
        self.add()
        self.write(add_run, self.job, Status.QUEUED, queued_at=NOW)
        self.assertEqual(self.found("?by_hand=1"), ["queued"])
        self.assertEqual(self.found("?by_hand="), ["queued", "succeeded"])

    def test_together(self) -> None:
        """Everything that is asked for must hold."""
        self.add(Status.FAILED)
        self.add(Status.FAILED, DAY)
        self.add(ago=DAY + timedelta(minutes=1))
        self.assertEqual(self.found("?day=2026-11-22"), ["succeeded", "failed"])
        self.assertEqual(self.found("?day=2026-11-22&state=failed&by_hand="), ["failed"])
        self.assertEqual(self.found("?day=2026-11-22&state=failed&by_hand=1"), [])

    def test_pages(self) -> None:
        """Pages keep what is looked for, there and back."""
        for number in range(60):
            self.add(Status.FAILED if number % 2 else Status.SUCCEEDED, timedelta(minutes=number))
        page = self.look("?state=failed")
        older = page.link("Older runs →")
        self.assertTrue(older.startswith(f"{self.path}?state=failed&older=r"), older)
        self.assertNotIn("Newer", page.text)
        second = self.get(older.partition("#")[0]).page
        self.assertEqual(second.part("found").texts("td").count("failed"), 5)
        self.assertNotIn("Older runs", second.text)
        newer = second.link("← Newer runs")
        self.assertIn("state=failed&newer=r", newer)
        first = self.get(newer.partition("#")[0]).page
        self.assertEqual(first.part("found").texts("td"), page.part("found").texts("td"))
        self.assertEqual(second.link("The latest"), f"{self.path}?state=failed#runs")

    def test_far_back(self) -> None:
        """When it was looked for in vain for long, the page knows the last day that had some."""
        self.patch(run_windows, "WINDOW", 10)
        self.add(Status.KILLED, 40 * DAY)
        for number in range(30):
            self.add(ago=timedelta(minutes=number))
        text = self.look("?state=killed").part("runs").text
        self.assertIn("No such runs among the next 10.", text)
        self.assertIn("The last day before that on which one was killed: Wednesday, 14 October 2026", text)
        link = self.look("?state=killed").link("Wednesday, 14 October 2026")
        self.assertEqual(self.get(link.partition("#")[0]).page.part("found").texts("td")[0], "killed")

    def test_nonsense(self) -> None:
        """What makes no sense is told, with its place."""
        for query, place in (
            ("state=nope", "state: expected one of"),
            ("day=yesterday", "day: expected a date such as 2026-03-04"),
            ("day=2026-13-01", "day: "),
            ("day=0001-01-01", "day: "),
            ("day=9999-12-31", "day: "),
            ("by_hand=2", "by_hand: expected 1 or nothing"),
            ("newer=x", "newer: "),
            ("older=x", "older: "),
        ):
            answer = self.get(f"{self.path}?{query}")
            self.assertEqual(answer.code, 400, query)
            self.assertIn(place, answer.page.text)


class PageTests(RunsCase):
    """The page as a whole."""

    def seed_year(self) -> None:
        """Every day of a year has runs, and some of them went wrong."""
        for day in range(371):
            self.add(ago=DAY * day)
            if day % 7 == 0:
                self.add(
                    Status.FAILED, DAY * day + timedelta(minutes=1), reason="x" * 200, host=HOSTILE_NAMES[0]
                )

    def test_size(self) -> None:
        """With all that can be on it the page stays small."""
        self.seed_year()
        answer = self.get(self.path)
        self.assertLess(len(answer.body), 100_000)
        self.assertTrue(answer.page)

    def test_order(self) -> None:
        """What somebody has to know first comes first, and each part can be gone to."""
        self.add()
        page = self.look()
        parts = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
        wanted = ["schedule", "took", "year", "runs", "command"]
        self.assertEqual([part for part in parts if part in wanted], wanted)
        targets = [
            each.attributes["href"] for each in page.all("a") if each.attributes["href"].startswith("#")
        ]
        self.assertEqual(targets, ["#main", *(f"#{part}" for part in wanted)])

    def test_differences(self) -> None:
        """Who changed what is told key by key, and of a script line by line."""
        script = "#!/bin/sh\nset -eu\n./load --since=1h\nexit 0"
        anna = Actor("anna", Via.SESSION, "192.0.2.1")
        for since, rules in (("1h", {}), ("2h", {"timeout": "PT30S", "environment": {"<b>": "1"}})):
            job = {"name": "k", "schedule": "0 * * * *", "command": script.replace("1h", since)} | rules
            document = parse_document({"category": "c", "jobs": [job]})
            self.write(replace_category, document.category, anna)
        (link,) = {each.attributes["href"] for each in self.get("/").page.all("a") if each.text == "k"}
        page = self.get(link).page.part("changes")
        self.assertIn("anna changed it", page.text)
        self.assertEqual(page.texts("del"), ["-./load --since=1h"])
        self.assertEqual(page.texts("ins"), ["+./load --since=2h", "+ 1", "+ PT30S"])
        self.assertEqual(page.texts("dt"), ["command", "environment.<b>", "timeout"])

    def test_live(self) -> None:
        """What renews itself has a name, and nothing to be filled in."""
        self.add()
        page = self.look()
        live = [each.attributes["id"] for each in page.elements if "data-live" in each.attributes]
        self.assertEqual(live, ["state", "took", "year", "found", "as-of"])
        for name in live:
            self.assertFalse(page.part(name).all("form"), name)

    def test_since(self) -> None:
        """It goes back a year, to a Monday."""
        self.add(ago=400 * DAY)
        self.add(Status.FAILED, MIDNIGHT - datetime(2025, 11, 24))
        links = [each.attributes["href"] for each in self.look().part("year").all("a")]
        self.assertIn(f"{self.path}?day={date(2025, 11, 24)}#runs", links)
        self.assertFalse([link for link in links if "2025-10" in link])
