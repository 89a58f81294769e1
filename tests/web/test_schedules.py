"""Schedules of all kinds in the API and on pages, and the preview of one that no job has."""

import json
from datetime import datetime
from typing import Any

from tests.web.support import Answer, WebTestCase

JOB = {"name": "a", "command": "true"}
DAILY = {"schedule": "30 2 * * *", "timezone": "Europe/Berlin"}
ALL = DAILY | {
    "schedule": ["30 2 * * *", {"every": "PT8H"}],
    "except": ["2026-12-25"],
    "between": {"start": "2026-01-01", "end": "2027-12-31"},
    "jitter": "PT30S",
}
#: What `seconds` of the web says: 12 January 1970, 13:46:40.
THEN = datetime(1970, 1, 12, 13, 46, 40)


class PreviewTests(WebTestCase):
    def preview(self, body: Any) -> Answer:
        return self.ask("POST", "/api/schedule/preview", json=body)

    def test_preview(self) -> None:
        """The schedule in words, its next slots by its clocks, in UTC, and in how many seconds."""
        found = self.preview(DAILY | {"count": 1}).json["data"]["preview"]
        self.assertEqual(
            found,
            {
                "sentence": "at 02:30 every day (Europe/Berlin)",
                "timezone": "Europe/Berlin",
                "slots": [
                    {
                        "slot": "1970-01-13T01:30:00",
                        "local": "1970-01-13T02:30:00+01:00",
                        "in": 42200.0,
                        "jitter": 0.0,
                    }
                ],
                "notes": [],
                "warnings": [],
            },
        )

    def test_default_count(self) -> None:
        """Ten slots, when nobody says how many."""
        found = self.preview({"schedule": {"every": "PT90S"}}).json["data"]["preview"]
        self.assertEqual((len(found["slots"]), found["timezone"]), (10, "UTC"))

    def test_names(self) -> None:
        """With the names of category and job, H and jitter are those of that job."""
        body = {"schedule": "H H * * *", "category": "c", "name": "a", "count": 1}
        self.ask("PUT", "/api/category/c", json={"jobs": [JOB | {"schedule": "H H * * *"}]})
        [job] = self.get("/api/jobs").json["data"]["jobs"]
        [slot] = self.preview(body).json["data"]["preview"]["slots"]
        self.assertEqual(slot["slot"][11:], job["next_run"][11:])

    def test_nobody(self) -> None:
        """Without these names a note says that H and jitter are those of no job."""
        for names, notes in (({}, 1), ({"name": "a"}, 1), ({"name": "a", "category": "c"}, 0)):
            found = self.preview({"schedule": "H H * * *"} | names).json["data"]["preview"]["notes"]
            self.assertEqual(len(found), notes, found)

    def test_what_may_be_said(self) -> None:
        """A key that is not known is told with all that there are."""
        answer = self.preview({"schedule": "@daily", "tz": "UTC"})
        allowed = "schedule, timezone, except, between, jitter, count, category, name"
        self.assertEqual(answer.json["error"]["message"], f'tz: there is no key "tz" here, only {allowed}')

    def test_faults(self) -> None:
        """Every fault is told with its place, and with its line."""
        answer = self.ask("POST", "/api/schedule/preview", data=b'{"schedule":\n["@daily", "0 25 * * *"]}')
        self.assertEqual(answer.code, 400)
        [fault] = answer.json["error"]["faults"]
        self.assertEqual((fault["place"], fault["line"]), ("schedule[1]", 2))
        self.assertIn("hour: 25 is not in 0 to 23 (at character 3)", fault["message"])
        for body, place in (
            ({"schedule": "@daily", "timezone": "Berlin"}, "timezone"),
            ({"schedule": "@daily", "count": 0}, "count"),
            ({"schedule": "@daily", "count": 101}, "count"),
            ({"schedule": "@daily", "name": 1}, "name"),
            ({"schedule": "@daily", "command": "true"}, "command"),
            ({}, "schedule"),
        ):
            answer = self.preview(body)
            self.assertEqual(answer.code, 400, body)
            self.assertEqual([each["place"] for each in answer.json["error"]["faults"]], [place])
        for text in (b"", b"[]", b"{", b"1"):
            self.assertEqual(self.ask("POST", "/api/schedule/preview", data=text).code, 400)
        self.assertEqual(self.get("/api/schedule/preview").code, 405)


class JobTests(WebTestCase):
    def put(self, **keys: Any) -> Answer:
        return self.ask("PUT", "/api/category/c", json={"jobs": [JOB | keys]})

    def job(self) -> Any:
        [job] = self.get("/api/jobs").json["data"]["jobs"]
        return job

    def test_api(self) -> None:
        """The API says of a job what its document says, and the same in words."""
        self.assertEqual(self.put(**ALL).json, {"status": "success"})
        job = self.job()
        said = ALL | {"schedule": ["30 2 * * *", "every PT8H"]}
        self.assertEqual({key: job[key] for key in said}, said)
        self.assertIn("at 02:30 every day (Europe/Berlin); and every 8 hours", job["schedule_in_words"])
        self.put(schedule="R/2026-01-01T00:00:00Z/PT1M")
        job = self.job()
        self.assertEqual(
            (job["schedule"], job["timezone"], job["except"]), ("R/2026-01-01T00:00:00Z/PT1M", None, None)
        )
        self.assertEqual(job["interval"], 60)

    def test_unchanged(self) -> None:
        """The same document again leaves the job as it is, its next run too."""
        self.put(**ALL)
        before = self.job()
        self.now = datetime(2026, 11, 23, 8, 0)
        self.put(**ALL)
        self.assertEqual(self.job(), before)

    def test_interval(self) -> None:
        """What 0.27 knows of a schedule is the time between its next two slots."""
        for schedule, seconds in (("@daily", 86_400), ("every PT90S", 90), ("at 2030-01-01", 86_400)):
            self.put(schedule=schedule)
            self.assertEqual(self.job()["interval"], seconds)

    def test_warning(self) -> None:
        """What looks like a slip is accepted with a warning."""
        [warning] = self.put(schedule="* 3 * * *").json["warnings"]
        self.assertIn("jobs[0].schedule: this runs every minute, 60 times", warning)

    def test_page(self) -> None:
        """The page of a job has its schedules, its limits, and its next slots by its clocks and in UTC."""
        self.put(**ALL | {"jitter": "PT1S"})
        page = self.get(f"/job/{self.job()['id']}").page
        for part in (
            "at 02:30 every day (Europe/Berlin); and every 8 hours",
            "every PT8H",
            "Time zone Europe/Berlin",
            "Not on 2026-12-25",
            "Only from 2026-01-01 until 2027-12-31",
            "Jitter up to PT1S",
            "Next slots, in Europe/Berlin and in UTC",
        ):
            self.assertIn(part, page.text)
        slots = [text for text in page.texts("li") if "UTC" in text]
        self.assertEqual(slots[0], "in 7 hours Mon 2026-11-23 16:00:00 2026-11-23 15:00:00 UTC")

    def test_remarks_on_the_page(self) -> None:
        """The page warns of what looks like a slip, and notes what the clocks will do."""
        self.now = datetime(2027, 3, 20)
        self.put(schedule="* 2 * * *", timezone="Europe/Berlin")
        text = self.get(f"/job/{self.job()['id']}").page.text
        self.assertIn("Warning: this runs every minute, 60 times", text)
        self.assertIn("Note: 2027-03-28 02:00: the clocks of Europe/Berlin go forward to 03:00", text)

    def test_list(self) -> None:
        """The list of jobs says it in words."""
        self.put(**DAILY)
        self.assertIn("at 02:30 every day (Europe/Berlin)", self.get("/").page.text)

    def test_unreadable(self) -> None:
        """A schedule that somebody spoiled in the database is shown as it is."""
        self.put(**DAILY)
        spoiled = json.dumps({"schedule": "nonsense", "timezone": "Nowhere"})
        self.write(lambda connection: connection.exec_driver_sql("UPDATE jobs SET schedule = ?", (spoiled,)))
        job = self.job()
        self.assertEqual((job["schedule"], job["schedule_in_words"]), ("nonsense", None))
        self.assertEqual(self.get(f"/job/{job['id']}").code, 200)
