"""Slots of the past that somebody wants to be run: over all daemons."""

from datetime import timedelta

from sqlalchemy import select

from cronq.database.backfilling import Wanted, begin_backfill
from cronq.database.reading.backfills import find_backfills
from cronq.database.tables import jobs
from cronq.domain.backfilling import Order
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
