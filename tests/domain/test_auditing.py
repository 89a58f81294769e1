"""Holding rows against slots: whatever is wrong is found, and nothing else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.audit_totals import Totals
from cronq.domain.audited_runs import AuditedRun, faults_of_run, open_too_long
from cronq.domain.auditing import Books, JobAudit
from cronq.domain.findings import Finding, JobName, Kind
from cronq.domain.runs import Cause, Status
from cronq.domain.schedules import parse_schedule
from cronq.domain.timetable import Term, Timetable

START = datetime(2026, 1, 1)
TICK = timedelta(microseconds=1)
JOB = JobName(7, "example", "backup")
NEVER_STARTED = {Status.QUEUED, Status.MISSED}
MINUTELY = parse_schedule("R/2026-01-01T00:00:00/PT1M")
HALF_MINUTELY = parse_schedule("R/2026-01-01T00:00:30/PT30S")


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def row(minute: float, status: Status = Status.SUCCEEDED, **rest: Any) -> AuditedRun:
    """A run for that minute's slot."""
    attempt = rest.get("attempt", 1)
    times = {"open_since": None if status.final else at(minute), "started": status not in NEVER_STARTED}
    run_id = f"{int(minute * 60):031x}{attempt}"
    return AuditedRun(run_id, 7, status, slot=at(minute), **times | rest)


def missed(first: float, last: float, slots: int, **rest: Any) -> AuditedRun:
    return row(first, Status.MISSED, last_slot=at(last), slots=slots, **rest)


class AuditCase(SynchronousTestCase):
    """A job that runs every minute and was put in place at the beginning."""

    def setUp(self) -> None:
        self.totals = Totals()
        self.since, self.until, self.settled, self.now = datetime.min, at(10), at(10), at(10)
        self.terms = [Term(MINUTELY, START)]
        self.pruned_until: datetime | None = None

    def books(self, **rest: Any) -> Books:
        usual = {"settled_until": self.settled, "now": self.now, "pruned_until": self.pruned_until}
        return Books(Timetable(self.terms), **usual | rest)

    def audit(self, *rows: AuditedRun) -> list[Finding]:
        audit = JobAudit(JOB, self.since, self.until, self.totals)
        return [*audit.account(self.books(), rows), *audit.close()]

    def rows(self, *minutes: float) -> list[AuditedRun]:
        return [row(minute) for minute in minutes]

    def assert_finds(self, rows: Iterable[AuditedRun], *expected: tuple[Kind, str]) -> None:
        """The audit finds just that, in these words."""
        found = self.audit(*rows)
        self.assertEqual([(each.kind, each.sentence) for each in found], list(expected))
        self.assertEqual({each.job for each in found} or {JOB}, {JOB})


class SlotTests(AuditCase):
    """Slots and rows."""

    def test_all_accounted_for(self) -> None:
        """When each slot has a row there is nothing to say, and all is counted."""
        rows = [row(1), missed(2, 8, 7), row(9, Status.FAILED), row(10, Status.RUNNING)]
        self.assert_finds(rows)
        self.assertEqual((self.totals.jobs, self.totals.slots, self.totals.rows), (1, 10, 4))
        expected = {Status.SUCCEEDED: 1, Status.MISSED: 7, Status.FAILED: 1, Status.RUNNING: 1}
        self.assertEqual(self.totals.runs, expected)

    def test_without_a_row(self) -> None:
        """Slots without a row are one finding for all that lie side by side."""
        found = self.audit(*self.rows(1, 3, 7, 8, 9))
        self.assertEqual([(f.slot, f.last_slot, f.slots) for f in found], [
            (at(2), None, 1), (at(4), at(6), 3), (at(10), None, 1),
        ])  # fmt: skip
        self.assertEqual({f.kind for f in found}, {Kind.MISSING})
        self.assertEqual(
            [f.sentence for f in found[:2]],
            [
                "The slot 2026-01-01 00:02:00 UTC has no row in the ledger.",
                "3 slots from 2026-01-01 00:04:00 UTC to 2026-01-01 00:06:00 UTC have no row in the ledger.",
            ],
        )

    def test_no_rows(self) -> None:
        """So is a job of which there is no row at all, be it for centuries."""
        self.terms = [Term(parse_schedule("R/1500-01-01T00:00:00/PT1S"), datetime(1500, 1, 1))]
        (found,) = self.audit()
        self.assertEqual(found.slots, (at(10) - datetime(1500, 1, 1)) // timedelta(seconds=1))

    def test_unclaimed(self) -> None:
        """Slots that no injector has claimed for a minute are told of as such; younger ones are not."""
        self.settled, self.now, self.until = at(8), at(10.5), at(10.5)
        self.assert_finds(
            self.rows(*range(1, 9)),
            (Kind.UNCLAIMED, "The slot 2026-01-01 00:09:00 UTC is due and unclaimed: does an injector run?"),
        )
        self.now = at(9.5)
        self.assert_finds(self.rows(*range(1, 9)))

    def test_without_a_slot(self) -> None:
        """A row for what is no slot is told of, and hides no slot."""
        rows = self.rows(1, 1.5, *range(3, 11))
        self.assert_finds(
            rows,
            (Kind.UNKNOWN_SLOT, "2026-01-01 00:01:30 UTC is no slot of this job."),
            (Kind.MISSING, "The slot 2026-01-01 00:02:00 UTC has no row in the ledger."),
        )

    def test_wrong_range(self) -> None:
        """A row for several slots must be for the slots that there are."""
        for first, last, slots, count in ((2, 5, 3, 4), (2, 5, 5, 4), (2, 5.5, 4, 4), (2, 5.5, 5, 4)):
            sentence = (
                f"The row stands for {slots} slots from {at(first)} UTC to {at(last)} UTC,"
                f" where the schedule has {count}."
            )
            rows = [row(1), missed(first, last, slots), *self.rows(*range(6, 11))]
            self.assert_finds(rows, (Kind.WRONG_RANGE, sentence))

    def test_range_that_ran(self) -> None:
        """A run that was started is for one slot."""
        ran = row(2, last_slot=at(10), slots=9)
        said = f"The row stands for 9 slots from {at(2)} UTC to {at(10)} UTC, but is succeeded."
        self.assert_finds([row(1), ran], (Kind.WRONG_RANGE, said))

    def test_two_rows_for_a_slot(self) -> None:
        """Two rows that stand for the same slot are told of, by their ids."""
        rows = [row(1), missed(2, 8, 7), row(5), row(9), row(10)]
        sentence = f"The slot {at(5)} UTC has two rows, this one and that of run {rows[1].run_id}."
        self.assert_finds(rows, (Kind.DOUBLED, sentence))
        self.assertEqual(self.audit(*rows)[0].run_id, rows[2].run_id)

    def test_changed_job(self) -> None:
        """Slots are those that the job had then; while it was removed it had none."""
        self.terms = [Term(MINUTELY, START, at(3)), Term(HALF_MINUTELY, at(5), at(6)), Term(MINUTELY, at(8))]
        self.assert_finds(self.rows(1, 2, 3, 5.5, 6, 9, 10))
        self.assertEqual(self.totals.slots, 7)

    def test_unreadable_schedule(self) -> None:
        """A schedule that cannot be read is told of once, and its rows are left alone."""
        self.terms = [Term(None, START, at(6), "it is no schedule"), Term(MINUTELY, at(6))]
        self.assert_finds(
            self.rows(1, 2, 7, 8, 9, 10),
            (
                Kind.UNREADABLE,
                "Its schedule from 2026-01-01 00:00:00 UTC on cannot be read: it is no schedule.",
            ),
        )

    def test_job_that_is_gone(self) -> None:
        """Of a job without a row no one claims slots; what the ledger has of it is audited."""
        audit = JobAudit(JOB, self.since, self.until, self.totals)
        books = self.books(settled_until=None)
        found = [*audit.account(books, self.rows(1, 3)), *audit.close()]
        self.assertEqual([(f.kind, f.slot) for f in found], [(Kind.MISSING, at(2))])


class PeriodTests(AuditCase):
    """Only a part of the time."""

    def test_bounds(self) -> None:
        """What lies before or after is no one's business, also of a row that reaches into the period."""
        self.since, self.until = at(4), at(7)
        self.assert_finds([missed(2, 5, 4), row(6), row(7)])
        self.assertEqual((self.totals.slots, self.totals.runs), (3, {Status.MISSED: 1, Status.SUCCEEDED: 2}))
        self.assert_finds(
            [row(6), missed(7, 9, 3)], (Kind.MISSING, f"The slot {at(5)} UTC has no row in the ledger.")
        )

    def test_row_before(self) -> None:
        """The row before the period is none of it."""
        self.since = at(8)
        self.assert_finds(self.rows(8, 9, 10))
        self.assertEqual(self.totals.rows, 2)

    def test_pruned(self) -> None:
        """What lies before the mark of the pruner is no one's business, also when it moves meanwhile."""
        self.pruned_until = at(5)
        self.assert_finds([missed(3, 5, 3), *self.rows(6, 7, 8, 9, 10)])
        self.assertEqual(self.totals.slots, 6)
        audit = JobAudit(JOB, datetime.min, self.until, self.totals)
        found = [*audit.account(self.books(pruned_until=None), self.rows(1, 2))]
        found += [*audit.account(self.books(pruned_until=at(8)), self.rows(6, 8, 9, 10)), *audit.close()]
        self.assertEqual(found, [])


class AttemptTests(AuditCase):
    """Several runs for one slot."""

    def setUp(self) -> None:
        super().setUp()
        self.until = self.settled = self.now = at(1)

    def test_asked_for(self) -> None:
        """Another attempt is in order when it took the place of one that was lost."""
        lost = row(1, Status.LOST, superseded=True)
        self.assert_finds([lost, row(1, attempt=2)])
        self.assert_finds([lost, replace(lost, attempt=2), row(1, attempt=3)])
        self.assertEqual((self.totals.further_attempts, self.totals.rows_without_slot), (3, 0))

    def test_not_by_the_schedule(self) -> None:
        """What other jobs or a backfill have caused is counted by itself, and each further attempt as one."""
        backfill: dict[str, Any] = {"cause": Cause.BACKFILL}
        after: dict[str, Any] = {"cause": Cause.AFTER}
        self.until = self.settled = self.now = at(3)
        self.assert_finds(
            [
                missed(1, 3, 3),
                row(1, Status.FAILED, attempt=2, superseded=True, **backfill),
                row(1, attempt=3, **backfill),
                row(1.5, Status.LOST, superseded=True, **after),
                row(1.5, attempt=2, **after),
                row(2, Status.SKIPPED, started=False, **backfill),
                row(2, attempt=2, **backfill),
            ]
        )
        said = "1 job, 3 slots, 1 run after other jobs, 3 backfilled runs, 2 further attempts"
        statuses = "3 succeeded, 1 failed, 1 lost, 1 skipped, 3 missed"
        self.assertEqual(self.totals.in_words(), f"{said} ({statuses})")

    def test_in_place_of_the_schedule(self) -> None:
        """A run that is there when its slot is due is that of the slot."""
        self.assert_finds([row(1, cause=Cause.AFTER)])
        self.assertEqual(self.totals.in_words(), "1 job, 1 slot (1 succeeded)")

    def test_not_asked_for(self) -> None:
        """Else a run was started twice."""
        for status in (Status.SUCCEEDED, Status.RUNNING, Status.LOST):
            first = row(1, status)
            sentence = (
                f"Attempt 2 at the slot {at(1)} UTC was started, though no one asked for it:"
                f" attempt 1, run {first.run_id}, is {status}."
            )
            self.assert_finds([first, row(1, attempt=2)], (Kind.STARTED_TWICE, sentence))

    def test_not_started(self) -> None:
        """As long as it has not started, it is a row too many."""
        second = row(1, Status.QUEUED, attempt=2)
        self.assertEqual([f.kind for f in self.audit(row(1), second)], [Kind.DOUBLED])


class RunTests(SynchronousTestCase):
    """Single runs."""

    def test_open_too_long(self) -> None:
        """A run that waits or runs for very long is told of, with the time."""
        hour, day, tick = timedelta(hours=1), timedelta(days=1), timedelta(seconds=1)
        queued, running = row(0, Status.QUEUED), row(0, Status.RUNNING)
        self.assertIsNone(open_too_long(queued, START + hour))
        self.assertIsNone(open_too_long(running, START + day))
        said = "It has been queued since 2026-01-01 00:00:00 UTC, and no runner has started it."
        self.assertEqual(open_too_long(queued, START + hour + tick), said)
        said = "It has been running since 2026-01-01 00:00:00 UTC, and no end of it is known."
        self.assertEqual(open_too_long(running, START + day + tick), said)
        for status in Status:
            if status.final:
                self.assertIsNone(open_too_long(row(0, status), START + 99 * day))

    def test_runner_that_reports_itself(self) -> None:
        """A run may take as long as it likes while its runner is heard of, and not much longer."""
        later = START + timedelta(days=9)
        heard = row(0, Status.RUNNING, runner_heard_at=later)
        self.assertIsNone(open_too_long(heard, later + timedelta(hours=1)))
        self.assertEqual(
            open_too_long(heard, later + timedelta(hours=1, seconds=1)),
            "It has been running since 2026-01-01 00:00:00 UTC, and its runner was last heard of at"
            " 2026-01-10 00:00:00 UTC.",
        )

    def test_second_runner(self) -> None:
        """A start that was not granted is told of, with the host."""
        (found,) = faults_of_run(JOB, row(0, second_host="b.example"), START)
        self.assertEqual((found.kind, found.run_id), (Kind.STARTED_TWICE, row(0).run_id))
        self.assertIn("also started on b.example", found.sentence)

    def test_as_a_line(self) -> None:
        """A finding names its job and its run."""
        (found,) = faults_of_run(JOB, row(0, second_host="b"), START)
        self.assertTrue(str(found).startswith(f"example/backup (job 7), run {row(0).run_id}: It was also"))
        names = [str(JobName(7)), str(JobName(None)), str(JobName(7, None, "x"))]
        self.assertEqual(names, ["job 7", "a job that 0.27 removed", "x (job 7)"])


#: Rows for minutes, in halves so that some lie beside the slots; each stands for so many slots.
LENGTH = 12
pieces = st.lists(st.tuples(st.integers(0, 2 * LENGTH), st.integers(1, 4)), max_size=12)


class OracleTests(AuditCase):
    """Any rows at all, against an audit that looks at each slot alone."""

    @given(pieces, st.integers(0, LENGTH), st.integers(0, LENGTH), st.integers(1, 5))
    def test_same_as_one_by_one(self, some: list[tuple[int, int]], one: int, other: int, page: int) -> None:
        """Missing, doubled and unknown slots are those that looking at each slot shows, on any pages."""
        rows = [
            missed(half / 2, half / 2 + length - 1, length) for half, length in sorted(dict(some).items())
        ]
        since, until = at(min(one, other)), at(max(one, other))
        self.now, self.settled, self.until = at(LENGTH + 9), at(LENGTH), until
        audit = JobAudit(JOB, since, until, totals := Totals())
        mine = [each for each in rows if each.slot and each.slot <= until]
        found = [
            finding
            for _, group in groupby(enumerate(mine), key=lambda pair: pair[0] // page)
            for finding in audit.account(self.books(), [each for _, each in group])
        ]
        if not mine:
            found += audit.account(self.books(), [])
        found += audit.close()
        covered = Counter(slot for each in mine for slot in self.slots_of(each))
        slots = [at(minute) for minute in range(1, LENGTH + 1) if since < at(minute) <= until]
        missing = [slot for slot in slots if not covered[slot]]
        found_missing = [slot for each in found if each.kind is Kind.MISSING for slot in self.slots_of(each)]
        self.assertEqual(found_missing, missing)
        self.assertEqual((totals.slots, totals.slots_without_row), (len(slots), len(missing)))
        kinds = Counter(each.kind for each in found)
        self.assertLessEqual(set(kinds), {Kind.MISSING, Kind.UNKNOWN_SLOT, Kind.DOUBLED})
        doubled = any(covered[slot] > 1 for slot in slots)
        self.assertLessEqual(doubled, Kind.DOUBLED in kinds)
        if all(half % 2 == 0 and half for half, _ in some):
            self.assertEqual(doubled, Kind.DOUBLED in kinds)
            self.assertNotIn(Kind.UNKNOWN_SLOT, kinds)

    def slots_of(self, each: AuditedRun | Finding) -> list[datetime]:
        """What it stands for, slot or not, with those between counted on the minute."""
        assert each.slot is not None
        last = each.last_slot or each.slot
        return [slot for slot in map(at, range(2 * LENGTH)) if each.slot <= slot <= last]
