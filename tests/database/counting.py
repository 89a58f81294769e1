"""The days of jobs, and counting them ahead, on any database: counted or not, the same is read."""

from datetime import date, datetime, timedelta

from sqlalchemy import delete, insert

from cronq.database import counting
from cronq.database.backfilling import Wanted, begin_backfill, go_on
from cronq.database.counting import COMMITTED, CORRECTED, FILLED, KEPT, count_days
from cronq.database.day_tables import job_days, unsettled_runs
from cronq.database.jobs import request_run
from cronq.database.ledger import record_reports
from cronq.database.losses import lose_runs
from cronq.database.pausing import pause_job, resume_job
from cronq.database.reading import days
from cronq.database.reading.days import JobDays, read_days
from cronq.database.tables import definitions, jobs, runs
from cronq.domain.backfilling import Order
from cronq.domain.messages import Report
from cronq.domain.reports import Loss
from cronq.domain.runs import Status, new_run_id
from tests.database.ruling import RulingCase
from tests.database.store import START, at, job, report

DAY = timedelta(days=1)
HOURLY = "R/2026-01-01T00:00:00/PT1H"
FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)
Found = dict[date, dict[str, int]]


class CountingCase(RulingCase):
    """A job with a slot each hour."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("job", HOURLY))
        self.job_id = int(self.row(jobs)["id"])

    def days(self, since: date = FIRST) -> Found:
        found = self.read_days(since)
        self.assertFalse(found.behind)
        return {
            day: {str(status): count for status, count in each.items()} for day, each in found.counts.items()
        }

    def read_days(self, since: date = FIRST) -> JobDays:
        return self.read(read_days, self.job_id, since, self.now)

    def count(self, later: timedelta = COMMITTED) -> None:
        """Count what there is, after a while."""
        self.now += later
        while self.do(count_days):
            pass

    def assertDays(self, expected: Found) -> None:
        """These are read before anything is counted, and the same after that."""
        self.assertEqual(self.days(), expected)
        self.count()
        self.assertEqual(self.days(), expected)

    def run_until(self, until: datetime, code: int = 0) -> None:
        """Every slot up to that one runs, each in its time."""
        while self.now < until:
            self.now += timedelta(hours=1)
            for run in self.claim().publications:
                self.ask(run.run_id)
                self.end(run.run_id, code)

    def fill(self, since: datetime, until: datetime, *, ends: bool = True) -> None:
        """A backfill of all that did not run."""
        self.do(begin_backfill, self.job_id, Wanted(since, until, Order.OLDEST, 100, ""), 100)
        self.do(go_on)
        for row in self.rows(runs, status="queued") if ends else ():
            self.ask(row["run_id"])
            self.end(row["run_id"])
        self.do(go_on)


class DaysTests(CountingCase):
    """What a page reads."""

    def test_nothing(self) -> None:
        """A job that never ran has no days."""
        self.assertDays({})

    def test_by_day(self) -> None:
        """Each run belongs to the day of its slot, however late it was taken."""
        self.run_until(at(23))
        self.run_until(START + DAY + timedelta(hours=2), code=1)
        self.assertDays({FIRST: {"succeeded": 23}, SECOND: {"failed": 3}})
        self.assertEqual(self.days(SECOND), {SECOND: {"failed": 3}})

    def test_counted_once(self) -> None:
        """However often somebody counts, and from wherever on, the sums stay what they are."""
        self.run_until(at(3))
        self.count()
        self.run_until(at(6))
        self.assertEqual(self.days(), {FIRST: {"succeeded": 6}})
        for _ in range(3):
            self.count()
        self.assertEqual(self.days(), {FIRST: {"succeeded": 6}})
        self.assertEqual([row["runs"] for row in self.rows_of_days()], [6])

    def rows_of_days(self) -> list[dict[str, int]]:
        query = job_days.select().order_by(job_days.c.day)
        return self.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    def test_several_jobs(self) -> None:
        """Of each job only its own runs are read."""
        self.put(job("job", HOURLY), job("other", HOURLY))
        self.run_until(at(3))
        self.assertDays({FIRST: {"succeeded": 3}})
        self.job_id += 1
        self.assertEqual(self.days(), {FIRST: {"succeeded": 3}})

    def test_by_hand(self) -> None:
        """A run by hand belongs to the day on which somebody asked for it."""
        self.run_until(at(2))
        self.do(request_run, self.job_id)
        self.claim()
        self.assertDays({FIRST: {"succeeded": 2, "queued": 1}})

    def test_window(self) -> None:
        """What is too much for one pass is counted in several; until then the page says that it is behind."""
        self.patch(counting, "WINDOW", 2)
        self.patch(days, "MOST_UNCOUNTED", 3)
        self.run_until(at(5))
        self.now += COMMITTED
        self.assertTrue(self.read_days().behind)
        self.assertEqual(self.read_days().counts, {FIRST: {Status.SUCCEEDED: 3}})
        self.assertTrue(self.do(count_days))
        self.assertEqual(self.days(), {FIRST: {"succeeded": 5}})
        self.assertTrue(self.do(count_days))
        self.assertFalse(self.do(count_days))
        self.assertDays({FIRST: {"succeeded": 5}})

    def test_not_committed(self) -> None:
        """What was made just now is not counted yet: rows that come before it may still be on their way."""
        self.run_until(at(3))
        self.count(timedelta(0))
        self.assertEqual([row["runs"] for row in self.rows_of_days()], [2])
        self.execute(delete(runs).where(runs.c.slot == at(3)))
        self.assertEqual(self.days(), {FIRST: {"succeeded": 2}})


class ChangingTests(CountingCase):
    """What becomes something else after somebody has passed by."""

    def test_long_run(self) -> None:
        """A run that takes long is running first, and then what became of it, on the day of its slot."""
        self.now = at(1)
        run = self.claim_run()
        self.ask(run.run_id)
        self.assertDays({FIRST: {"running": 1}})
        self.now += 2 * DAY
        self.count()
        self.end(run.run_id, 3)
        self.assertDays({FIRST: {"failed": 1}})
        self.count(2 * COMMITTED)
        self.assertEqual(self.rows(unsettled_runs), [])

    def test_lost_and_found(self) -> None:
        """A run that was given up, and whose end is reported after all, is what it came to."""
        self.now = at(1)
        run = self.claim_run()
        self.ask(run.run_id)
        self.do(lose_runs, [Loss(run.run_id, "runner-1", "its runner is gone", abandoned=True)])
        self.assertDays({FIRST: {"lost": 1}})
        self.end(run.run_id)
        self.assertDays({FIRST: {"succeeded": 1}})

    def test_lost_for_good(self) -> None:
        """After a week nobody looks at it any more."""
        self.now = at(1)
        run = self.claim_run()
        self.ask(run.run_id)
        self.do(lose_runs, [Loss(run.run_id, "runner-1", "its runner is gone", abandoned=True)])
        self.count()
        self.assertEqual(len(self.rows(unsettled_runs)), 1)
        self.now += CORRECTED
        self.assertDays({FIRST: {"lost": 1}})
        self.assertEqual(self.rows(unsettled_runs), [])

    def test_tried_again(self) -> None:
        """Of the attempts at a slot only the last one counts."""
        self.ruled("again", retries=1)
        self.job_id = int(self.row(jobs, name="again")["id"])
        (first,) = self.claim_at(0, 1)
        self.ask(first)
        self.count()
        self.end(first, 1)
        self.assertDays({FIRST: {"queued": 1}})
        (second,) = [row["run_id"] for row in self.rows(runs, job_id=self.job_id, status="queued")]
        self.now += timedelta(minutes=5)
        self.ask(second)
        self.end(second)
        self.assertDays({FIRST: {"succeeded": 1}})

    def test_stranger(self) -> None:
        """A run that no injector of this version has made counts on the day on which it was heard of."""
        run_id = new_run_id(self.now)
        self.do(
            record_reports,
            [
                report(kind, run_id, self.job_id, at(5), **rest)
                for kind, rest in (
                    (Report.STARTING, {"start_time": at(5)}),
                    (Report.FINISHED, {"return_code": 0, "run_time": 1.0}),
                )
            ],
        )
        self.assertDays({FIRST: {"succeeded": 1}})

    def test_without_times(self) -> None:
        """Rows of which nobody knows when they were made, as a person may write them, are passed over."""
        self.execute(insert(runs).values(run_id="e" * 32, job_id=self.job_id, status="succeeded"))
        self.assertDays({})


class SeveralSlotsTests(CountingCase):
    """Rows that stand for several slots."""

    def test_outage(self) -> None:
        """Missed slots belong each to its own day."""
        self.run_until(at(20))
        self.now = START + 2 * DAY + timedelta(hours=1)
        self.claim()
        expected = {FIRST: {"succeeded": 20, "missed": 3}, SECOND: {"missed": 24}}
        self.assertDays(expected | {THIRD: {"missed": 1, "queued": 1}})

    def test_pause(self) -> None:
        """A pause grows after it was counted."""
        self.do(pause_job, self.job_id, None, "")
        self.run_until(at(5))
        self.assertDays({FIRST: {"skipped": 5}})
        self.now = START + DAY + timedelta(hours=1)
        self.claim()
        self.assertDays({FIRST: {"skipped": 23}, SECOND: {"skipped": 2}})
        self.do(resume_job, self.job_id)
        self.now += FILLED
        self.assertDays({FIRST: {"skipped": 23}, SECOND: {"skipped": 2}})
        self.assertEqual(self.rows(unsettled_runs), [])

    def test_filled(self) -> None:
        """A slot that runs after all is not missed any more, be it one of several or alone."""
        self.run_until(at(2))
        self.now = at(8, 30)
        self.claim()
        self.assertDays({FIRST: {"succeeded": 2, "missed": 5, "queued": 1}})
        self.fill(at(3), at(5))
        self.assertDays({FIRST: {"succeeded": 6, "missed": 2}})
        self.fill(at(6), at(7), ends=False)
        self.assertDays({FIRST: {"succeeded": 6, "queued": 2}})

    def test_filled_one_by_one(self) -> None:
        """The same when the slot has a row of its own, which was counted long ago."""
        self.run_until(at(2))
        self.now = at(4)
        self.claim()
        self.execute(
            runs.update().where(runs.c.status == "queued").values(status="skipped", publish_after=None)
        )
        self.assertDays({FIRST: {"succeeded": 2, "missed": 1, "skipped": 1}})
        self.fill(at(3), at(4), ends=False)
        self.assertEqual(self.days(), {FIRST: {"succeeded": 2, "queued": 2}})
        self.assertDays({FIRST: {"succeeded": 2, "queued": 2}})

    def test_unreadable(self) -> None:
        """When nobody knows where its slots were, they count on the first day."""
        self.now = START + DAY + timedelta(hours=1)
        self.claim()
        self.execute(definitions.update().values(schedule="nonsense"))
        self.assertDays({FIRST: {"missed": 24}, SECOND: {"queued": 1}})


class ForgettingTests(CountingCase):
    """Old days, and runs that were pruned."""

    def test_pruned(self) -> None:
        """What was counted stays when its runs are pruned."""
        self.run_until(at(3))
        self.count()
        self.execute(delete(runs))
        self.assertDays({FIRST: {"succeeded": 3}})
        self.run_until(at(5))
        self.assertDays({FIRST: {"succeeded": 5}})

    def test_unsettled_and_pruned(self) -> None:
        """A run that was pruned before it was counted is not looked for for ever."""
        self.now = at(1)
        self.claim()
        self.count()
        self.execute(delete(runs))
        self.assertDays({})
        self.count(2 * COMMITTED)
        self.assertEqual(self.rows(unsettled_runs), [])

    def test_forgotten(self) -> None:
        """After more than a year, a day is forgotten."""
        self.run_until(at(3))
        self.count()
        self.now += KEPT
        self.count()
        self.assertEqual(self.days(), {FIRST: {"succeeded": 3}})
        self.count(DAY)
        self.assertEqual(self.days(), {})
