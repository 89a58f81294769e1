"""Holding the ledger against the schedules: every slot has its row, and every row its slot."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cronq.domain.runs import Status
from cronq.domain.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Period:
    """A schedule and the slots it answers for: those with `since` < slot <= `until`."""

    since: datetime
    until: datetime
    schedule: Schedule

    def count(self, after: datetime, until: datetime) -> int:
        """How many of its slots lie in `after` < slot <= `until`."""
        return self.schedule.count_between(max(after, self.since), min(until, self.until))

    def first(self, after: datetime) -> datetime | None:
        """Its first slot later than `after`."""
        slot = self.schedule.first_after(max(after, self.since))
        return slot if slot is not None and slot <= self.until else None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A row of the ledger that stands for one slot or, when it was missed or skipped, for several."""

    run_id: str
    slot: datetime
    last_slot: datetime | None
    slots: int
    attempt: int
    status: Status


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be."""

    job_id: int
    what: str
    run_id: str | None = None


def audit_slots(job_id: int, periods: Iterable[Period], rows: Iterable[LedgerRow]) -> Iterator[Finding]:
    """Compare a job's slots with its rows; both are in the order of time, rows of a slot by attempt.

    The periods do not overlap. Takes time for each row, but none for the slots of a row that stands for many,
    nor for those between two rows.
    """
    walk = _Walk(job_id, list(periods))
    for row in rows:
        yield from walk.row(row)
    yield from walk.end()


class _Walk:
    """Goes along the rows and counts the slots that lie between them."""

    def __init__(self, job_id: int, periods: list[Period]) -> None:
        self._job_id = job_id
        self._periods = periods
        #: Up to here every slot has been accounted for, or told.
        self._seen = periods[0].since if periods else datetime.max
        self._previous: LedgerRow | None = None

    def row(self, row: LedgerRow) -> Iterator[Finding]:
        previous, self._previous = self._previous, row
        if row.attempt > 1:
            yield from self._again(previous, row)
            return
        last = row.last_slot or row.slot
        yield from self._without_row(row.slot - datetime.resolution)
        expected = sum(period.count(row.slot - datetime.resolution, last) for period in self._periods)
        if expected != row.slots:
            yield self._found(
                f"the row of {row.slot} stands for {row.slots} slots, its schedule has {expected} there",
                row.run_id,
            )
        self._seen = max(self._seen, last)

    def end(self) -> Iterator[Finding]:
        if self._periods:
            yield from self._without_row(self._periods[-1].until)

    def _without_row(self, until: datetime) -> Iterator[Finding]:
        for period in self._periods:
            count = period.count(self._seen, until)
            if count > 0:
                yield self._found(f"{count} slots without a row, from {period.first(self._seen)} on")
        self._seen = max(self._seen, until)

    def _again(self, previous: LedgerRow | None, row: LedgerRow) -> Iterator[Finding]:
        if previous is None or (previous.slot, previous.attempt) != (row.slot, row.attempt - 1):
            yield self._found(
                f"attempt {row.attempt} of {row.slot} has no attempt {row.attempt - 1}", row.run_id
            )
        elif previous.status in {Status.SUCCEEDED, Status.QUEUED, Status.RUNNING}:
            yield self._found(
                f"attempt {row.attempt} of {row.slot} was made though the one before is {previous.status}",
                row.run_id,
            )

    def _found(self, what: str, run_id: str | None = None) -> Finding:
        return Finding(self._job_id, what, run_id)
