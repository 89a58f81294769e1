"""Keeping up how long jobs usually take, on any database."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete

from cronq.database.ledger import record_reports
from cronq.database.reading.usual import usual_durations
from cronq.database.tables import events, jobs, settings
from cronq.database.usual import (
    GOOD_FOR,
    LONGEST_COMMIT,
    LOOKED_AT,
    MARK,
    OVERLAP,
    WINDOW,
    UsualPass,
    compute_usual,
    keep_usual,
)
from cronq.domain.messages import Report
from cronq.domain.runs import new_run_id
from cronq.domain.usual import MOST_RUNS, UsualDuration
from tests.database.store import StoreCase, job, report

MINUTE = timedelta(minutes=1)


class UsualTests(StoreCase):
    """Jobs that have run, and passes that look at it."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("a"), job("b"))
        self.a, self.b = (int(row["id"]) for row in self.rows(jobs))

    def run_all(self, job_id: int, *seconds: float, return_code: int = 0) -> None:
        """Runs that take so long, recorded at once, each in its minute."""
        self.now += MINUTE
        reports = []
        for each in seconds:
            run_id = new_run_id(self.now)
            reports.append(report(Report.STARTING, run_id, job_id, self.now, start_time=self.now))
            ended = {"run_time": each, "return_code": return_code}
            reports.append(report(Report.FINISHED, run_id, job_id, self.now, **ended))
        for first in range(0, len(reports), 500):
            self.do(record_reports, reports[first : first + 500])

    def gauge(self) -> UsualPass:
        """One pass, long enough after what was recorded."""
        self.now += LONGEST_COMMIT + timedelta(seconds=1)
        done = self.read(compute_usual)
        assert done is not None
        self.assertTrue(self.do(keep_usual, done))
        return done

    def usual(self, job_id: int) -> UsualDuration | None:
        return self.read(usual_durations, [job_id]).get(job_id)

    def test_nothing(self) -> None:
        """Where nothing has run there is nothing to do, and nothing to read."""
        self.assertIsNone(self.read(compute_usual))
        self.assertEqual(self.read(usual_durations, []), {})
        self.assertEqual(self.read(usual_durations, [self.a]), {})

    def test_computed(self) -> None:
        """Each job has its own figures, in seconds."""
        self.run_all(self.a, 1.0, 2.0, 6.0)
        self.run_all(self.b, 30.0)
        self.gauge()
        expected = {self.a: UsualDuration(3, 2.0, 6.0), self.b: UsualDuration(1, 30.0, 30.0)}
        self.assertEqual(self.read(usual_durations, [self.a, self.b]), expected)

    def test_failures_do_not_count(self) -> None:
        """What went wrong says nothing of how long it takes to go well."""
        self.run_all(self.a, 0.1, 0.2, return_code=1)
        self.gauge()
        self.assertIsNone(self.usual(self.a))
        self.run_all(self.a, 5.0)
        self.gauge()
        self.assertEqual(self.usual(self.a), UsualDuration(1, 5.0, 5.0))

    def test_follows(self) -> None:
        """A job with few runs behind it is computed anew whenever it has run."""
        self.run_all(self.a, 1.0)
        self.gauge()
        self.run_all(self.a, 2.0)
        self.gauge()
        self.assertEqual(self.usual(self.a), UsualDuration(2, 1.5, 2.0))

    def test_not_too_often(self) -> None:
        """One with many is computed anew once an hour, and then by its latest runs."""
        self.run_all(self.a, *[1.0] * MOST_RUNS)
        self.gauge()
        self.run_all(self.a, *[9.0] * MOST_RUNS)
        self.assertEqual(self.gauge().found, {})
        self.assertEqual(self.usual(self.a), UsualDuration(MOST_RUNS, 1.0, 1.0))
        self.now += GOOD_FOR
        self.run_all(self.a, 9.0)
        self.gauge()
        self.assertEqual(self.usual(self.a), UsualDuration(MOST_RUNS, 9.0, 9.0))

    def test_idle(self) -> None:
        """When nothing has run since, a pass finds nothing to do."""
        self.run_all(self.a, 1.0)
        self.assertFalse(self.gauge().idle)
        self.assertTrue(self.gauge().idle)

    def test_committed_late(self) -> None:
        """A run that was recorded before a pass, and could be seen only after it, is not forgotten."""
        self.run_all(self.a, 1.0)
        done = self.read(compute_usual)
        assert done is not None
        self.now -= MINUTE + timedelta(seconds=1)
        self.run_all(self.a, 3.0)
        self.do(keep_usual, replace(done, reached=done.reached + 2))  # it has seen some that came later
        self.gauge()
        self.assertEqual(self.usual(self.a), UsualDuration(2, 2.0, 3.0))

    def test_two_at_once(self) -> None:
        """Of two daemons that do the same work one stores it, and the other one leaves it at that."""
        for _ in range(2):
            self.run_all(self.a, 1.0)
            first, second = self.read(compute_usual), self.read(compute_usual)
            self.assertEqual((self.do(keep_usual, first), self.do(keep_usual, second)), (True, False))
        self.assertEqual(self.usual(self.a), UsualDuration(2, 1.0, 1.0))

    def test_backlog(self) -> None:
        """A long history is gone through in steps, each of which looks at some of it."""
        self.run_all(self.a, *[1.0] * WINDOW)
        self.run_all(self.b, 2.0)
        steps = [self.gauge()]
        while steps[-1].more:
            seen = range(int(steps[-1].mark or 0) + 1, steps[-1].reached + 1)
            self.assertLessEqual(len([each for each in self.rows(events) if each["id"] in seen]), WINDOW)
            steps.append(self.gauge())
        self.assertGreater(len(steps), 2)
        self.assertEqual(self.usual(self.b), UsualDuration(1, 2.0, 2.0))

    def test_bounded(self) -> None:
        """Of a job that hardly ever succeeds only the latest runs are looked at."""
        self.run_all(self.a, 100.0)
        self.run_all(self.a, *[0.1] * LOOKED_AT, return_code=1)
        self.run_all(self.a, 50.0)
        self.gauge()
        self.assertEqual(self.usual(self.a), UsualDuration(1, 50.0, 50.0))

    def test_pruned_events(self) -> None:
        """Whoever prunes the events, and has SQLite give their ids again, does not stop it."""
        self.run_all(self.a, *[1.0] * OVERLAP * 2)
        self.gauge()
        self.execute(delete(events))
        self.run_all(self.b, 2.0)
        self.gauge()
        self.assertEqual(self.usual(self.b), UsualDuration(1, 2.0, 2.0))

    def test_mark(self) -> None:
        """How far it has come is kept, for the daemon that goes on."""
        self.run_all(self.a, 1.0, 2.0)
        self.gauge()
        (value,) = self.read(
            lambda connection: connection.scalars(
                settings.select().with_only_columns(settings.c.value).where(settings.c.name == MARK)
            ).all()
        )
        self.assertEqual(value, str(self.rows(events)[-1]["id"]))
