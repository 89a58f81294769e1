"""Backfills, on any database."""

from datetime import datetime, timedelta
from typing import Any

from cronq.database.backfilling import Wanted, begin_backfill, count_slots, go_on, stop_backfill
from cronq.database.kills import kill_run
from cronq.database.ledger import record_reports
from cronq.database.pausing import pause_job
from cronq.database.reading.backfills import find_backfills
from cronq.database.tables import backfills, jobs, runs
from cronq.domain.backfilling import Order
from cronq.domain.jobs import JobDefinition
from cronq.domain.messages import Report
from cronq.domain.rules import Overlap, Rules
from tests.database.ruling import RulingCase
from tests.database.store import MINUTELY, at, job, report


class BackfillTests(RulingCase):
    """A job with a slot each minute, of which nobody has run ten."""

    def setUp(self) -> None:
        super().setUp()
        self.begin_with()

    def begin_with(self, **rules: Any) -> None:
        self.put()
        self.now = at(0)
        self.put(job(rules=Rules(**rules)), category="strict" if rules else "example")
        self.job_id = self.rows(jobs)[-1]["id"]
        (self.latest,) = self.claim_at(0, 10)
        self.ask(self.latest)
        self.end(self.latest)

    def fill(self, since: datetime, until: datetime, order: Order = Order.OLDEST, at_once: int = 1) -> int:
        slots = self.do(count_slots, self.job_id, since, until)
        assert slots is not None
        return self.do(begin_backfill, self.job_id, Wanted(since, until, order, at_once, "why"), slots)

    def made(self) -> list[tuple[datetime, int, str]]:
        self.do(go_on)
        return [(row["slot"], row["attempt"], row["status"]) for row in self.rows(runs, cause="backfill")]

    def finish(self) -> None:
        """Run what there is, until the backfill is over."""
        for _ in range(50):
            self.do(go_on)
            for row in self.rows(runs, status="queued"):
                self.ask(row["run_id"])
                self.end(row["run_id"])

    def test_each_once(self) -> None:
        """Each slot runs once, in order, and none that has run."""
        self.fill(at(0, 1), at(0, 10))
        self.assertEqual(self.made(), [(at(0, 1), 2, "queued")])
        self.finish()
        self.assertEqual([row[0] for row in self.made()], [at(0, minute) for minute in range(1, 10)])
        (found,) = self.read(find_backfills, self.job_id)
        self.assertEqual(
            (found.slots, found.made, found.passed, found.statuses), (10, 9, 1, {"succeeded": 9})
        )
        self.assertIsNotNone(found.ended_at)
        self.assertEqual(self.audit(), [])

    def test_from_the_beginning(self) -> None:
        """One may ask for all there ever was."""
        for order in Order:
            self.put(JobDefinition("yearly", "R/0001-01-01T00:00:00Z/P400Y", "true"), category=order.value)
            self.job_id = self.row(jobs, name="yearly", next_run=datetime(2401, 1, 1))["id"]
            self.fill(datetime.min, datetime.max, order, at_once=10)
            self.put(category="example")
            self.finish()
            (found,) = self.read(find_backfills, self.job_id)
            self.assertEqual((found.slots, found.made, found.statuses), (5, 5, {"succeeded": 5}))
            self.put(category=order.value)
        self.assertEqual(self.audit(), [])

    def test_again(self) -> None:
        """A second one finds nothing to do, and ends."""
        self.fill(at(0, 1), at(0, 10))
        self.finish()
        self.fill(at(0, 1), at(0, 10), Order.NEWEST)
        self.do(go_on)
        latest, _ = self.read(find_backfills, self.job_id)
        self.assertEqual((latest.made, latest.passed, latest.ended_at is None), (0, 10, False))

    def test_newest_first(self) -> None:
        """The other way round, and several at once."""
        self.fill(at(0, 3), at(0, 8), Order.NEWEST, at_once=2)
        self.assertEqual([row[0] for row in self.made()], [at(0, 8), at(0, 7)])
        self.assertEqual(len(self.made()), 2, "no more while these are open")
        self.finish()
        self.assertEqual([row[0] for row in self.made()], [at(0, minute) for minute in (8, 7, 6, 5, 4, 3)])

    def test_before_the_job_was(self) -> None:
        """Slots that its schedule would have had before it was there are made, and no finding."""
        self.put(job(schedule="R/2025-12-31T23:00:00/PT1M"), category="other")
        self.job_id = self.rows(jobs)[-1]["id"]
        self.fill(datetime(2025, 12, 31, 23), datetime(2025, 12, 31, 23, 2))
        self.finish()
        self.assertEqual(len(self.made()), 3)
        self.assertEqual(self.audit(), [])

    def test_audit_from_the_middle(self) -> None:
        """A row that stands for many slots counts also where some of them were run since."""
        self.fill(at(0, 2), at(0, 3))
        self.finish()
        self.assertEqual(self.audit(since=at(0, 6)), [])

    def test_two_injectors(self) -> None:
        """However often injectors look, a slot has one run."""
        self.fill(at(0, 1), at(0, 9), at_once=9)
        for _ in range(3):
            self.assertEqual(len(self.made()), 9)

    def test_retries_count(self) -> None:
        """An attempt that waits is one of those that are open."""
        self.begin_with(retries=3)
        self.fill(at(0, 1), at(0, 5))
        ((_, _, _),) = self.made()
        run_id = self.row(runs, cause="backfill")["run_id"]
        self.ask(run_id)
        self.end(run_id, 1)
        self.assertEqual([row[1:] for row in self.made()], [(2, "failed"), (3, "queued")])

    def test_retries_of_what_was_missed(self) -> None:
        """A slot that was missed is tried as often as any other."""
        self.begin_with(retries=2, retry_backoff=2)
        self.fill(at(0, 1), at(0, 2))
        for _ in range(20):
            self.now += timedelta(minutes=1)
            self.do(go_on)
            for row in self.rows(runs, status="queued"):
                if row["not_before"] is None or row["not_before"] <= self.now:
                    self.ask(row["run_id"])
                    self.end(row["run_id"], 1)
        rows = self.rows(runs, cause="backfill")
        self.assertEqual([row["attempt"] for row in rows], [2, 3, 4, 1, 2, 3])
        waited = [row["not_before"] - row["queued_at"] for row in rows if row["previous_run_id"]]
        self.assertEqual([wait.seconds for wait in waited], [60, 120] * 2)
        self.assertIn("there is no more", rows[2]["reason"])

    def test_not_claimed_yet(self) -> None:
        """Slots for which no injector has been there yet belong to it, once one has."""
        self.ask_before_the_injector(Order.OLDEST)

    def test_not_claimed_yet_newest_first(self) -> None:
        """Nor are they left out if they come first."""
        self.ask_before_the_injector(Order.NEWEST)

    def ask_before_the_injector(self, order: Order) -> None:
        self.now = at(0, 15)
        self.fill(at(0, 9), at(0, 15), order)
        self.assertEqual(self.made(), [])
        self.claim()
        self.finish()
        self.assertEqual({row[0] for row in self.made()}, {at(0, minute) for minute in (9, 11, 12, 13, 14)})
        self.assertEqual(self.row(backfills)["slots"], 7)

    def test_missed_after_all(self) -> None:
        """A slot whose run is too late when it could start is filled, and not taken for one that has run."""
        self.begin_with(deadline=timedelta(minutes=2))
        (late,) = self.claim_at(0, 11)
        self.fill(at(0, 10), at(0, 11))
        self.assertEqual(self.made(), [], "it waits until that is decided")
        self.now = at(0, 14)
        self.assertFalse(self.ask(late).granted)
        self.finish()
        self.assertEqual(self.made(), [(at(0, 11), 2, "succeeded")])
        self.assertIsNotNone(self.row(backfills)["ended_at"])

    def test_started_after_all(self) -> None:
        """One whose run starts while a backfill waits for it is passed over."""
        (late,) = self.claim_at(0, 11)
        self.fill(at(0, 9), at(0, 11), Order.NEWEST)
        self.assertEqual(self.made(), [])
        self.assertTrue(self.ask(late).granted)
        self.assertEqual([row[0] for row in self.made()], [at(0, 9)])

    def test_called_off_before_it_started(self) -> None:
        """What somebody did not want to run is not run by a backfill, either."""
        (late,) = self.claim_at(0, 11)
        self.fill(at(0, 11), at(0, 11))
        self.do(kill_run, late, "killed by hand")
        self.finish()
        self.assertEqual(self.made(), [])
        self.assertIsNotNone(self.row(backfills)["ended_at"])

    def test_called_off(self) -> None:
        """Nothing more is made, and what has not started is skipped."""
        backfill = self.fill(at(0, 1), at(0, 9), at_once=2)
        self.made()
        first = self.rows(runs, cause="backfill")[0]["run_id"]
        self.ask(first)
        self.assertTrue(self.do(stop_backfill, self.job_id, backfill))
        self.assertFalse(self.do(stop_backfill, self.job_id, backfill))
        self.end(first)
        self.assertEqual([row[2] for row in self.made()], ["succeeded", "skipped"])
        self.assertEqual(self.rows(runs, cause="backfill")[1]["reason"], "its backfill was called off")
        self.assertEqual(self.audit(), [])

    def test_called_off_while_it_is_tried(self) -> None:
        """What fails after that is not tried again, and says why."""
        self.begin_with(retries=3)
        self.stop_after_start()
        self.end(self.filled, 3)
        (row,) = self.rows(runs, cause="backfill")
        self.assertEqual((row["status"], row["superseded"]), ("failed", False))
        last = "this was attempt 2, and there is no more, as its backfill was called off"
        self.assertEqual(row["reason"], last)

    def test_called_off_between_attempts(self) -> None:
        """An attempt that waits for its time is skipped."""
        self.begin_with(retries=3)
        backfill = self.fill(at(0, 1), at(0, 5))
        self.made()
        self.filled = self.row(runs, cause="backfill")["run_id"]
        self.ask(self.filled)
        self.end(self.filled, 3)
        self.do(stop_backfill, self.job_id, backfill)
        self.assertEqual([row[1:] for row in self.made()], [(2, "failed"), (3, "skipped")])
        self.assertEqual(self.rows(runs, cause="backfill")[1]["reason"], "its backfill was called off")

    def test_called_off_and_handed_back(self) -> None:
        """Nor does a run start any more that its runner had not begun and gave back."""
        self.stop_after_start()
        mine = self.row(runs, run_id=self.filled)
        back = report(
            Report.RETURNED, self.filled, self.job_id, self.now, token=mine["token"], runner="runner-1"
        )
        self.do(record_reports, [back])
        self.assertEqual(self.row(runs, run_id=self.filled)["status"], "queued")
        answer = self.ask(self.filled, "2" * 32)
        self.assertEqual((answer.granted, answer.reason), (False, "its backfill was called off"))
        self.assertEqual([row[2] for row in self.made()], ["skipped"])

    def stop_after_start(self) -> None:
        """Call a backfill off whose first run has started."""
        backfill = self.fill(at(0, 1), at(0, 5))
        self.made()
        self.filled = self.row(runs, cause="backfill")["run_id"]
        self.assertTrue(self.ask(self.filled).granted)
        self.assertTrue(self.do(stop_backfill, self.job_id, backfill))

    def test_job_removed(self) -> None:
        """It ends with its job."""
        self.fill(at(0, 1), at(0, 9))
        self.put()
        self.assertEqual(self.made(), [])
        self.assertEqual(self.row(backfills)["stopped"], "its job was removed")

    def test_paused_and_late(self) -> None:
        """Whoever asks for old slots wants them, pause and deadline or not."""
        self.begin_with(deadline=timedelta(minutes=1))
        self.do(pause_job, self.job_id, None, "")
        self.fill(at(0, 1), at(0, 3))
        self.finish()
        self.assertEqual([row[2] for row in self.made()], ["succeeded"] * 3)

    def test_overlap(self) -> None:
        """It makes way for slots that are due now, and waits for them instead of being skipped."""
        self.begin_with(overlap=Overlap.SKIP)
        self.fill(at(0, 1), at(0, 3))
        self.made()
        (current,) = self.claim_at(0, 11)
        self.assertTrue(self.ask(current).granted)
        waiting = self.row(runs, cause="backfill")["run_id"]
        answer = self.ask(waiting)
        self.assertEqual((answer.granted, self.row(runs, run_id=waiting)["status"]), (False, "queued"))
        self.end(current)
        self.assertIn(waiting, self.published())
        self.assertTrue(self.ask(waiting).granted)
        self.assertEqual(self.claim_at(0, 12), [])

    def test_makes_way(self) -> None:
        """Of those that wait, slots that are due now go before any of a backfill, however many these are."""
        self.begin_with(max_running=1)
        self.fill(at(0, 1), at(0, 9), at_once=9)
        self.made()
        (first, *waiting) = [row["run_id"] for row in self.rows(runs, cause="backfill")]
        self.assertTrue(self.ask(first).granted)
        for run_id in waiting:
            self.assertFalse(self.ask(run_id).granted)
        self.assertEqual(self.claim_at(0, 11), [])
        current = self.row(runs, slot=at(0, 11))["run_id"]
        self.end(first)
        self.assertEqual(self.published(), [current])
        self.ask(current)
        self.end(current)
        self.assertIn(waiting[0], self.published())

    def test_count(self) -> None:
        """Only slots that have passed count, of jobs that have a schedule."""
        self.assertEqual(self.do(count_slots, self.job_id, at(0, 5), at(9)), 6)
        self.assertEqual(self.do(count_slots, self.job_id, at(5), at(9)), 0)
        self.assertIsNone(self.do(count_slots, 4711, at(0), at(9)))
        self.assertAccounted(self.job_id, MINUTELY, at(0), at(0, 10))
