"""The page with what is to come, and the same for programs."""

from datetime import timedelta

from sqlalchemy import insert

from cronq.database.usual_tables import usual_durations
from tests.web.seed import NOW, add_category, add_job, remove_job
from tests.web.support import WebTestCase

HOURLY = "R/2026-01-01T00:30:00Z/PT1H"


class UpcomingTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.category = self.write(add_category, "c")

    def add(self, name: str, schedule: str = HOURLY, **columns: object) -> int:
        job_id: int = self.write(add_job, self.category, name, schedule=schedule, **columns)
        return job_id

    def takes(self, job_id: int, median: float) -> None:
        row = {"job_id": job_id, "runs": 30, "median": median, "p95": median, "computed_at": NOW}
        self.write(lambda connection: connection.execute(insert(usual_durations).values(row)))

    def slots(self, query: str = "") -> list[tuple[str, str]]:
        """When each slot is, and of which job."""
        found = self.get(f"/api/upcoming{query}").json["data"]["upcoming"]["slots"]
        return [(each["slot"][11:], each["name"]) for each in found]

    def test_nothing(self) -> None:
        """When there is nothing, the page says what to type."""
        self.assertIn("curl -T hello.json", self.get("/upcoming").page.text)

    def test_in_order(self) -> None:
        """Slots of all jobs come in the order of time."""
        self.add("half")
        self.add("quarters", "*/15 * * * *")
        self.assertEqual(
            self.slots()[:5],
            [
                ("07:15:00", "quarters"),
                ("07:30:00", "half"),
                ("07:30:00", "quarters"),
                ("07:45:00", "quarters"),
                ("08:00:00", "quarters"),
            ],
        )
        row = self.get("/upcoming").page.texts("tr")[1]
        self.assertTrue(row.startswith("in 9 minutes 2026-11-23 07:15:00 UTC quarters c "), row)

    def test_paused(self) -> None:
        """What is paused does not run; it does from the end of the pause on."""
        self.add("for ever", rules='{"enabled":false}')
        self.add("a while", paused_until=NOW + timedelta(hours=2))
        self.assertEqual(self.slots()[0], ("09:30:00", "a while"))
        self.assertEqual({name for _, name in self.slots()}, {"a while"})
        load = self.get("/api/upcoming").json["data"]["upcoming"]["load"]
        self.assertEqual(sum(load["starts"]), 22)

    def test_removed(self) -> None:
        """A job that was removed has nothing ahead."""
        self.write(remove_job, self.add("gone"))
        self.assertEqual(self.slots(), [])

    def test_load(self) -> None:
        """The load counts what starts in each minute, and what runs then."""
        for number in range(12):
            self.takes(self.add(f"{number}"), 90)
        load = self.get("/api/upcoming").json["data"]["upcoming"]["load"]
        self.assertEqual((load["from"], load["to"]), ("2026-11-23T07:05:00", "2026-11-24T07:05:00"))
        self.assertEqual((load["step"], load["estimated"]), (60.0, False))
        at = [index for index, count in enumerate(load["starts"]) if count]
        self.assertEqual(at, list(range(25, 1440, 60)))
        self.assertEqual(load["starts"][25], 12)
        self.assertEqual(load["running"][24:28], [0, 12, 6, 0])

    def test_crowd(self) -> None:
        """The page names the fullest minute, and says what to do about a crowd."""
        for number in range(12):
            self.takes(self.add(f"{number}"), 90)
        text = self.get("/upcoming").page.text
        self.assertIn("Most start at Mon 07:30: 12.", text)
        self.assertIn("At most 12 run at once", text)
        self.assertIn("That is a crowd.", text)

    def test_week(self) -> None:
        """A week is counted in tens of minutes."""
        self.add("half")
        load = self.get("/api/upcoming?hours=168").json["data"]["upcoming"]["load"]
        self.assertEqual((load["step"], len(load["starts"]), sum(load["starts"])), (600.0, 1008, 168))
        self.assertIn("in each 10 min", self.get("/upcoming?hours=168").page.text)

    def test_category(self) -> None:
        """A category is looked at by itself."""
        self.add("one")
        self.write(add_job, self.write(add_category, "d"), "other", schedule="0 12 * * *")
        self.assertEqual(self.slots("?category=d"), [("12:00:00", "other")])
        load = self.get("/api/upcoming?category=d").json["data"]["upcoming"]["load"]
        self.assertEqual(sum(load["starts"]), 1)
        self.write(add_category, "e")
        self.assertIn("No job of this category", self.get("/upcoming?category=e").page.text)
        for path in ("/upcoming", "/api/upcoming"):
            answer = self.get(f"{path}?category=nope")
            self.assertEqual(answer.code, 404)
            self.assertIn("There is no category", answer.text)

    def test_hours(self) -> None:
        """Any other period is refused."""
        self.assertEqual(self.get("/upcoming?hours=25").code, 400)
        self.assertEqual(
            self.get("/api/upcoming?hours=x").json["error"]["message"], "hours: expected 24 or 168"
        )

    def test_due(self) -> None:
        """A slot that nobody has taken yet is the first, and said to be due."""
        self.add("late", next_run=NOW - timedelta(minutes=1))
        self.assertIn("due 1 minute ago", self.get("/upcoming").page.texts("tr")[1])

    def test_of_0_27(self) -> None:
        """A job that 0.27 stored has slots as well."""
        self.add("old", "", next_run=NOW + timedelta(minutes=1), interval=timedelta(hours=8))
        self.write(lambda connection: connection.exec_driver_sql("UPDATE jobs SET schedule = NULL"))
        self.assertEqual(
            [slot for slot, _ in self.slots()], ["07:06:20.250000", "15:06:20.250000", "23:06:20.250000"]
        )

    def test_many(self) -> None:
        """Of many jobs those have a lane that are due next, and no slot is listed out of order."""
        for number in range(40):
            self.add(f"{number:02}", f"{number + 10} * * * *")
        page = self.get("/upcoming").page
        self.assertIn("The 30 jobs that are due next.", page.text)
        self.assertEqual(len(self.slots()), 30)
        self.assertLess(len(self.get("/upcoming").text), 100_000)
