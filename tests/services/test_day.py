"""A whole day of everything, in one process and about a second."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from twisted.trial.unittest import SynchronousTestCase

from cronq.database.tables import events, jobs, runs
from cronq.domain.jobs import JobDefinition
from tests.services.world import START, World

DAY = 86_400


class DayTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.world = World(folder, heartbeat_interval=600, lost_after=3600)

    def test_every_slot_runs_once_and_is_recorded(self) -> None:
        """After a day each slot of each job has one run, which started once, on time, and succeeded."""
        self.world.put(
            JobDefinition("each half hour", "R/2026-01-01T00:00:00Z/PT30M", "5 s"),
            JobDefinition("each hour", "R/2025-01-01T00:15:00Z/PT1H", "120 s"),
            JobDefinition("once", "R1/2026-01-01T12:00:00Z/P1D", "1 s"),
            JobDefinition("tomorrow", "R/2026-01-02T12:00:00Z/P1D", "1 s"),
        )
        self._start_all()
        self.world.run_for(DAY + 60)
        found = self.world.rows(select(jobs.c.name, runs).join(jobs, jobs.c.id == runs.c.job_id))
        self.assertEqual(
            Counter(row.name for row in found), {"each half hour": 48, "each hour": 24, "once": 1}
        )
        self.assertEqual({row.status for row in found}, {"succeeded"})
        self.assertEqual(
            sorted(row.slot for row in found if row.name == "each half hour"),
            [START + n * timedelta(minutes=30) for n in range(1, 49)],
        )
        self.assertEqual(sorted(row.run_id for row in found), sorted(self.world.launcher.runs()))
        self.assertEqual(
            Counter(row.type for row in self.world.rows(select(events))), {"starting": 73, "finished": 73}
        )
        self.assertEqual(self.world.audit(), [])

    def test_commands_start_at_their_slots(self) -> None:
        """A command starts at the instant of its slot and is told which slot it is."""
        self.world.put(JobDefinition("noon", "R/2026-01-01T12:00:00Z/P1D", "1 s"))
        self._start_all()
        self.world.run_for(DAY)
        (start,) = self.world.launcher.started
        self.assertEqual(start.environment["CRONQ_SLOT"], "2026-01-01T12:00:00Z")
        self.assertLess(abs(start.at - datetime(2026, 1, 1, 12)), timedelta(milliseconds=1))

    def test_two_of_each_share_the_work(self) -> None:
        """With two of each daemon every slot still runs once."""
        self.world.put(*(JobDefinition(f"job {n}", "R/2026-01-01T00:00:00Z/PT2H", "30 s") for n in range(6)))
        self._start_all()
        self.world.start_injector("injector.2")
        self.world.start_results("results.2")
        self.world.start_runner("runner.2")
        self.world.run_for(DAY + 60)
        found = self.world.rows(select(runs))
        self.assertEqual(Counter(row.status for row in found), {"succeeded": 72})
        self.assertEqual(sorted(row.run_id for row in found), sorted(self.world.launcher.runs()))
        self.assertEqual(self.world.audit(), [])

    def test_nothing_is_left_behind(self) -> None:
        """After hundreds of runs no daemon holds on to anything of them."""
        self.world.put(*(JobDefinition(f"job {n}", "R/2026-01-01T00:00:00Z/PT20M", "30 s") for n in range(6)))
        self._start_all()
        self.world.run_for(120)
        before = len(self.world.clock.getDelayedCalls())
        self.world.run_for(DAY)
        self.assertEqual(len(self.world.clock.getDelayedCalls()), before)
        intake = self.runner.intake
        held = (intake._starting, intake._waiting, intake._runs, intake._in_hand, intake._starts._awaited)
        self.assertEqual([len(each) for each in held], [0] * 5)
        self.assertEqual((self.runner.notebook.started, self.runner.notebook.undelivered), ({}, {}))

    def _start_all(self) -> None:
        self.world.start_results()
        self.runner = self.world.start_runner()
        self.world.start_injector()
