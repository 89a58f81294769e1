"""Values at the ends of time, and jobs at which a daemon fails: each harms itself at most, and no other."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from cronq.broker.interface import DEAD
from cronq.database import attempts, books, ledger
from cronq.database.backfilling import Wanted, begin_backfill, count_slots
from cronq.database.batch import RunBatch
from cronq.database.pausing import pause_job
from cronq.database.tables import jobs, runs
from cronq.domain.backfilling import Order
from cronq.domain.jobs import JobDefinition
from cronq.domain.messages import ResultMessage
from cronq.domain.reports import RunState, apply_report
from cronq.domain.rules import Rules
from cronq.domain.settlement import settle
from tests.services.cases import WorldTestCase, each_minute


class ExtremesTestCase(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.world.start_results()
        self.world.start_injector()
        self.world.start_runner()

    def job_id(self, name: str) -> int:
        (row,) = self.world.rows(select(jobs.c.id).where(jobs.c.name == name))
        return int(row.id)


class StoredTests(ExtremesTestCase):
    """Rules that no document may have, in the database all the same."""

    def live(self, command: str = "5 s", **rules: object) -> None:
        """A job with these rules beside a usual one, for ten minutes."""
        odd = replace(each_minute("odd", command), rules=Rules(**rules))  # type: ignore[arg-type]
        self.world.put(each_minute("usual"), odd)
        self.world.run_for(630)
        self.assertEqual(self.slots()["usual"], 10)

    def assert_can_be_changed(self) -> None:
        self.assertTrue(self.world.do(pause_job, self.job_id("odd"), None, ""))
        self.world.put(each_minute("usual"))
        self.world.run_for(60)
        self.assertEqual(self.slots()["usual"], 11)

    def test_pause_that_ended_when_time_began(self) -> None:
        self.live(paused_until=datetime.min)
        self.assertEqual(self.slots()["odd"], 10)
        self.assert_can_be_changed()

    def test_deadline_of_millenniums(self) -> None:
        self.live(deadline=timedelta(days=2_900_000))
        self.assertEqual(self.slots()["odd"], 10)
        self.assert_can_be_changed()

    def test_retry_delay_of_millenniums(self) -> None:
        """The attempts wait for a day, and everything goes on."""
        self.live("5 s exit 3", retries=1, retry_delay=timedelta(days=2_920_000))
        self.assertEqual(self.statuses(), {"succeeded": 10, "failed": 10, "queued": 10})
        self.assert_can_be_changed()


class BackfillTests(ExtremesTestCase):
    def test_all_that_ever_was(self) -> None:
        """A backfill may begin when time does; whoever audits the ledger later can reckon with its slots."""
        for order in Order:
            yearly = JobDefinition(order.value, "R/0001-01-01T00:00:00Z/P400Y", "1 s")
            self.world.put(yearly, category=order.value)
            wanted = Wanted(datetime.min, self.world.now(), order, 10, "")
            slots = self.world.do(count_slots, self.job_id(order.value), datetime.min, self.world.now())
            self.assertEqual(slots, 5)
            self.world.do(begin_backfill, self.job_id(order.value), wanted, slots)
        self.world.run_for(700)
        self.assertEqual(self.slots(), dict.fromkeys(Order, 5))
        self.assertEqual(self.statuses(), {"succeeded": 10})
        self.assert_audit_clean()


class FaultTests(ExtremesTestCase):
    """Whatever a daemon stumbles over, the others of the batch go on."""

    def put(self) -> None:
        self.world.put(*(each_minute(name, "5 s") for name in ("first", "broken", "last")))

    def test_settlement(self) -> None:
        """A job whose slots cannot be settled is told once, and has no next run until it is changed."""

        def fails(schedule: object, *others: object) -> object:
            if str(schedule).startswith("R7/"):
                raise ZeroDivisionError("one job is strange")
            return settle(schedule, *others)  # type: ignore[arg-type]

        broken = each_minute("broken", count="7")
        self.patch(books, "settle", fails)
        self.world.put(each_minute("first"), broken, each_minute("last"))
        self.world.run_for(305)
        self.assertEqual(self.slots(), {"first": 5, "broken": 1, "last": 5})
        self.assert_said("job ., broken: its slots cannot be settled")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        (row,) = self.world.rows(select(runs.c.reason).where(runs.c.status == "missed"))
        self.assertIn("its slots cannot be settled; it has no next run until it is changed: Zero", row.reason)
        self.world.put(each_minute("first"), each_minute("broken"), each_minute("last"))
        self.world.run_for(60)
        self.assertEqual(self.slots(), {"first": 6, "broken": 2, "last": 6})

    def test_refused_by_the_database(self) -> None:
        """A job whose runs the database does not take is told once, and the others go on."""
        self.put()
        broken = f"NEW.job_id = {self.job_id('broken')}"
        refusal = f"BEFORE INSERT ON runs WHEN {broken} BEGIN SELECT RAISE(ABORT, 'no'); END"
        self.world.execute(text(f"CREATE TRIGGER refusal {refusal}"))
        self.world.run_for(305)
        self.assertEqual(self.slots(), {"first": 5, "last": 5})
        self.assert_said("job ., broken: the database refuses its runs")
        self.assertEqual(len(self.flushLoggedErrors(IntegrityError)), 1)

    def test_change_of_its_category(self) -> None:
        """Also when no injector has met it, its category can be changed."""
        self.world.put(each_minute("first"), each_minute("broken"))
        self.world.run_for(30)
        with mock.patch.object(books, "settle", side_effect=ZeroDivisionError("all jobs are strange")):
            self.world.jump(120)
            self.world.put(each_minute("first"), JobDefinition("broken", None, "echo"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_rules_that_cannot_be_read(self) -> None:
        """Nothing is run by rules that nobody knows; it is told, and the others go on."""
        self.put()
        broken = jobs.update().where(jobs.c.name == "broken")
        self.world.execute(broken.values(rules='{"retries": "many"}'))
        self.world.run_for(305)
        self.assertEqual(self.slots(), {"first": 5, "broken": 1, "last": 5})
        self.assert_said("job ., broken: its slots cannot be settled")
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_next_attempt(self) -> None:
        """A run whose next attempt cannot be made has ended and says why it has none."""

        def fails(rules: Rules, *others: object) -> object:
            raise ZeroDivisionError("one job is strange")

        self.patch(attempts, "delay_after", fails)
        strange = replace(each_minute("strange", "5 s exit 3", "1"), rules=Rules(retries=1))
        self.world.put(each_minute("first"), strange, each_minute("last"))
        self.world.run_for(130)
        self.assertEqual(self.statuses(), {"failed": 1, "succeeded": 4})
        (row,) = self.world.rows(select(runs.c.reason).where(runs.c.status == "failed"))
        self.assertIn("there is no other attempt, as to make it failed: ZeroDivisionError", row.reason)
        self.assert_said("there is no other attempt")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_report(self) -> None:
        """A report that cannot be recorded is told with its traceback and kept; all others are recorded."""

        def fails(run: RunState, message: ResultMessage, *others: Any, **more: Any) -> RunState:
            if message.return_code == 7:
                raise ZeroDivisionError("one report is strange")
            return apply_report(run, message, *others, **more)

        self.patch(ledger, "apply_report", fails)
        strange = each_minute("strange", "5 s exit 7", "1")
        self.world.put(each_minute("first"), strange, each_minute("last"))
        self.world.run_for(70)
        self.assertEqual(self.statuses(), {"running": 1, "succeeded": 2})
        self.assertEqual(len(self.world.broker.messages(DEAD)), 1)
        self.assert_said("goes to cronq_dead: to record it failed: ZeroDivisionError")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_full_disk_of_the_database(self) -> None:
        """What has nothing to do with any report buries none: all are recorded when it is over."""
        full = OperationalError("UPDATE runs", {}, Exception(1114, "The table 'runs' is full"))
        with mock.patch.object(RunBatch, "write", side_effect=full):
            self.world.put(each_minute("one"), each_minute("other"))
            self.world.run_for(70)
            self.assertEqual(self.statuses(), {"queued": 2})
        self.assertTrue(self.flushLoggedErrors(OperationalError))
        self.world.run_for(30)
        self.assertEqual(self.world.broker.messages(DEAD), [])
        self.assertEqual(self.statuses(), {"succeeded": 2})
