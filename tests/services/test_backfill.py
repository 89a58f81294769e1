"""Slots of the past that somebody wants to be run: over all daemons."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from cronq.database.backfilling import Wanted, begin_backfill
from cronq.database.reading.backfills import find_backfills
from cronq.database.tables import jobs, runs
from cronq.domain.backfilling import Order
from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import Overlap, Rules
from tests.services.cases import WorldTestCase, each_minute
from tests.services.world import START


class BackfillTests(WorldTestCase):
    def test_beside_all_else(self) -> None:
        """While slots go on, those of an outage are run two at a time, over restarts, each once."""
        self.world.start_results()
        self.world.put(each_minute(command="7 s", count="70"))
        self.world.run_for(3600)
        injector = self.world.start_injector(republish_interval=1.0)
        runner = self.world.start_runner()
        self.world.run_for(30)
        job_id = self.world.rows(select(jobs.c.id))[0].id
        wanted = Wanted(START, START + timedelta(hours=1), Order.NEWEST, 2, "the outage")
        self.world.do(begin_backfill, job_id, wanted, 60)
        self.world.run_for(100)
        injector.kill()
        runner.kill()
        self.world.run_for(20)
        self.world.start_injector("injector.2", republish_interval=1.0)
        self.world.start_runner("runner.1")
        self.world.run_for(1000)
        (found,) = self.world.do(find_backfills, job_id)
        self.assertEqual((found.made, found.passed), (59, 1))
        self.assertIsNotNone(found.ended_at)
        self.assert_none_twice()
        self.assert_audit_clean()

    def test_slot_with_a_deadline(self) -> None:
        """One that is due while many of a backfill wait for their turn is the next to run, and in time."""
        for overlap in Rules(max_running=1), Rules(overlap=Overlap.QUEUE):
            with self.subTest(overlap):
                self.new_world()
                self.fill_before_a_slot(replace(overlap, deadline=timedelta(minutes=3)))
                (slot,) = self.world.rows(select(runs).where(runs.c.cause.is_(None)))
                self.assertEqual((slot.status, self.statuses()["succeeded"]), ("succeeded", 5))

    def fill_before_a_slot(self, rules: Rules) -> None:
        """Begin a backfill two minutes before a slot, and go on until four minutes after it."""
        self.world.start_results()
        self.world.start_injector(republish_interval=1.0)
        self.world.start_runner()
        self.world.put(JobDefinition("job", "R/2025-12-01T00:05:00Z/PT1H", "60 s", rules=rules))
        self.world.run_for(180)
        (job,) = self.world.rows(select(jobs.c.id))
        wanted = Wanted(START - timedelta(days=1), START, Order.OLDEST, 10, "why")
        self.world.do(begin_backfill, job.id, wanted, 24)
        self.world.run_for(360)
