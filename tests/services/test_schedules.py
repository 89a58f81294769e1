"""Schedules of every kind through all of cronq: each slot has one run, and an audit finds them all."""

from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from twisted.trial.unittest import SynchronousTestCase

from cronq.database.tables import jobs, runs
from cronq.domain.documents import parse_document
from tests.services.world import START, World

DAY, HOUR = 86_400, 3600


class ScheduleTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.world = World(folder, heartbeat_interval=600, lost_after=3600)

    def put(self, **schedules: Any) -> None:
        """Make the category consist of jobs of these names; what is no object is a schedule."""
        keys = {
            name: each if isinstance(each, dict) and "schedule" in each else {"schedule": each}
            for name, each in schedules.items()
        }
        document = [{"name": name, "command": "5 s"} | each for name, each in keys.items()]
        self.world.put(*parse_document({"category": "example", "jobs": document}).category.jobs)

    def start_all(self) -> None:
        self.world.start_injector()
        self.world.start_results()
        self.world.start_runner(concurrency=20)

    def slots(self) -> dict[str, list[str]]:
        """The slots of all runs, by the names of their jobs; all of them have succeeded."""
        query = select(jobs.c.name, runs.c.slot, runs.c.status).join(jobs, jobs.c.id == runs.c.job_id)
        found = defaultdict(list)
        for name, slot, status in self.world.rows(query.order_by(runs.c.slot)):
            self.assertEqual(status, "succeeded")
            found[name].append(f"{slot:%d %H:%M}")
        return found

    def test_every_kind(self) -> None:
        """Each slot of a day runs, those of two schedules once, and those that are left out not at all."""
        self.put(
            cron="0 */6 * * *",
            every={"every": "PT8H"},
            at="at 2026-01-01T13:30",
            several=["0 3,15 * * *", "0 15 * * *", "every PT12H"],
            abroad={"schedule": "30 6 * * *", "timezone": "Asia/Kolkata"},
            reduced={"schedule": "@hourly", "except": ["2026-01-01T02:00/2026-01-01T21:00"]},
            short={"schedule": "@hourly", "between": {"start": "2026-01-01T22:00"}},
            late={"schedule": "0 9 * * *", "jitter": "PT1H"},
        )
        self.start_all()
        self.world.run_for(DAY + 60)
        found = self.slots()
        [late] = found.pop("late")
        self.assertTrue("01 09:00" <= late < "01 10:00", late)
        self.assertEqual(
            found,
            {
                "cron": ["01 06:00", "01 12:00", "01 18:00", "02 00:00"],
                "every": ["01 08:00", "01 16:00", "02 00:00"],
                "at": ["01 13:30"],
                "several": ["01 03:00", "01 12:00", "01 15:00", "02 00:00"],
                "abroad": ["01 01:00"],
                "reduced": ["01 01:00", "01 22:00", "01 23:00", "02 00:00"],
                "short": ["01 22:00", "01 23:00", "02 00:00"],
            },
        )
        self.assertEqual(self.world.audit(), [])

    def test_nights_on_which_the_clocks_change(self) -> None:
        """A daily job runs once on the night of 23 hours, and once on that of 25."""
        for noon, nightly, quarters in (
            (datetime(2026, 3, 28, 12), ["29 01:00", "30 00:30"], 3 * 4 + 4 * 4),
            (datetime(2026, 10, 24, 12), ["25 00:30", "26 01:30"], 5 * 4 + 3 * 4 + 1),
        ):
            with self.subTest(noon):
                self.setUp()
                self.world.jump((noon - START).total_seconds())
                self.put(
                    nightly={"schedule": "30 2 * * *", "timezone": "Europe/Berlin"},
                    interval={"schedule": "R/2026-01-01T02:30:00/P1D", "timezone": "Europe/Berlin"},
                    quarters={"schedule": "*/15 0-3 * * *", "timezone": "Europe/Berlin"},
                )
                self.start_all()
                self.world.run_for(38 * HOUR + 60)
                found = self.slots()
                self.assertEqual(found["nightly"], nightly)
                self.assertEqual(found["interval"], nightly)
                self.assertEqual(len(found["quarters"]), quarters)
                self.assertEqual(self.world.audit(), [])

    def test_a_year_without_an_injector(self) -> None:
        """Of each job the latest slot runs, and one row stands for all the others, exactly counted."""
        self.put(
            cron={"schedule": "* * * * *", "timezone": "Europe/Berlin"},
            several=["*/2 * * * *", "*/3 * * * *", "every PT1S"],
            late={"schedule": "*/15 * * * *", "jitter": "PT5M"},
        )
        self.world.jump(365 * DAY)
        self.start_all()
        self.world.run_for(30)
        query = select(jobs.c.name, runs.c.slots).join(jobs, jobs.c.id == runs.c.job_id)
        counts = dict(self.world.rows(query.where(runs.c.status == "missed")))
        self.assertEqual(counts["cron"], 365 * 1440 - 1)
        self.assertGreater(counts["several"], 365 * DAY - 2)
        self.assertIn(counts["late"], (365 * 96 - 1, 365 * 96 - 2))
        self.assertEqual(self.world.audit(), [])

    def test_change_of_schedule(self) -> None:
        """Slots of the old schedule and of the new one meet without a gap, and none comes twice."""
        self.start_all()
        self.put(job={"schedule": "H/10 * * * *", "jitter": "PT2M"})
        self.world.run_for(3 * HOUR + 61)
        self.put(job={"schedule": ["H/15 * * * *"], "timezone": "Asia/Kolkata", "jitter": "PT2M"})
        self.world.run_for(3 * HOUR + 61)
        slots = self.slots()["job"]
        self.assertIn(len(slots), (18 + 12, 18 + 12 + 1, 18 + 12 - 1))
        self.assertEqual(len(set(slots)), len(slots))
        self.assertEqual(self.world.audit(), [])
