"""Holding the ledger against the schedules: every slot has its row, every row its slot, none ran twice.

The rows of a job stream by in the order of their slots; what is between two of them is found by arithmetic,
so the work grows with the rows and not with what is missing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronq.domain.audit_totals import Totals
from cronq.domain.audited_runs import AuditedRun, count_run, faults_of_run
from cronq.domain.findings import Finding, JobName, Kind, at, slots_in_words
from cronq.domain.runs import Status
from cronq.domain.saturating import just_before, shifted
from cronq.domain.timetable import Timetable

TICK = datetime.resolution
#: A slot that is due may wait so long for an injector.
CLAIM_WITHIN = timedelta(minutes=1)
#: What may stand for several slots at once.
_OF_RANGES = {Status.MISSED, Status.SKIPPED}


@dataclass(frozen=True, slots=True)
class Books:
    """What a job's rows are held against, as it was at one moment."""

    timetable: Timetable
    #: Every slot up to here should have its row; None when the job is gone, so that no one claims its slots.
    settled_until: datetime | None
    now: datetime
    #: What lies before has been deleted, or may be at any time.
    pruned_until: datetime | None = None


class JobAudit:
    """Holds the rows of one job against its slots with `since` < slot <= `until`.

    The rows come a page at a time, in the order of slots and attempts and with all attempts of a slot on one
    page. Each page comes with the books as they are in the same state of the database: what they say of
    slots that have passed by never changes, whatever becomes of the job meanwhile.
    """

    def __init__(self, job: JobName, since: datetime, until: datetime, totals: Totals) -> None:
        self._job = job
        self._since = since
        self._until = until
        self._totals = totals
        self._books: Books
        self._timetable: Timetable
        #: Every slot up to here is accounted for, or is no one's business; and the row that did it.
        self.position = since
        self._holder: AuditedRun | None = None
        #: Slots up to here are counted.
        self._counted = since
        #: The first slot after that.
        self._due: datetime | None = None
        self._previous: AuditedRun | None = None

    @property
    def progress(self) -> float:
        """How much of its time has been audited, from 0 to 1."""
        terms = self._timetable.terms
        begin = max([self._since, *(term.since for term in terms[:1])])
        whole = self._until - begin
        return min(1.0, (self.position - begin) / whole) if self.position > begin < self._until else 0.0

    def account(self, books: Books, rows: Iterable[AuditedRun]) -> Iterator[Finding]:
        """What is wrong up to the last of these rows."""
        self._open(books)
        for row in rows:
            assert row.slot is not None
            if (row.last_slot or row.slot) <= self._since:
                continue
            self._count(row)
            yield from faults_of_run(self._job, row, books.now)
            if self._previous is not None and self._previous.slot == row.slot:
                count_run(self._totals, row, self._previous)
                yield from self._attempt(self._previous, row)
            else:
                yield from self._place(row, row.slot, row.last_slot or row.slot)
            self._previous = row
        self._count_slots(self.position)

    def close(self) -> Iterator[Finding]:
        """What is wrong after the last row."""
        books = self._books
        settled = self.position if books.settled_until is None else min(books.settled_until, self._until)
        yield from self._gap(settled)
        end = settled
        if books.settled_until is not None:
            end = max(settled, min(self._until, books.now - CLAIM_WITHIN))
            yield from self._gap(end, Kind.UNCLAIMED)
        for term in self._timetable.unreadable(self._since, end):
            since = max(term.since, shifted(self._since, TICK))
            sentence = f"Its schedule from {at(since)} on cannot be read: {term.fault}."
            yield Finding(Kind.UNREADABLE, self._job, sentence)
        self._totals.jobs += 1
        self._count_slots(end)

    def _open(self, books: Books) -> None:
        self._books = books
        self._timetable = books.timetable
        if books.pruned_until is not None:
            self._since = max(self._since, just_before(books.pruned_until))
        if self.position < self._since:
            self.position, self._holder = self._since, None
            self._counted = self._since
        self._due = self._timetable.first_after(self.position)

    def _count_slots(self, until: datetime) -> None:
        """Count as many as are looked at, before they may be pruned."""
        until = min(until, self._until)
        if until > self._counted:
            self._totals.slots += self._timetable.count_between(self._counted, until)
            self._counted = until

    def _count(self, row: AuditedRun) -> None:
        self._totals.rows += 1
        if row.last_slot is None or row.slot is None:
            self._totals.runs[row.status] += 1
        else:
            first, last = max(just_before(row.slot), self._since), min(row.last_slot, self._until)
            self._totals.runs[row.status] += self._timetable.count_between(first, last)

    def _attempt(self, previous: AuditedRun, row: AuditedRun) -> Iterator[Finding]:
        if previous.superseded or (row.cause is not None and not previous.started):
            return
        twice = previous.started and row.started
        sentence = (
            f"Attempt {row.attempt} at the slot {_slot(row)} was {'started' if twice else 'made'}, though no"
            f" one asked for it: attempt {previous.attempt}, run {previous.run_id}, is {previous.status}."
        )
        yield self._fault(Kind.STARTED_TWICE if twice else Kind.DOUBLED, row, sentence)

    def _place(self, row: AuditedRun, slot: datetime, last: datetime) -> Iterator[Finding]:
        """Find the slots of the first row with this slot."""
        if row.cause is not None and slot != self._due:
            count_run(self._totals, row)
            return
        yield from self._gap(just_before(slot))
        if slot <= self.position and self._holder is not None:
            sentence = f"The slot {at(slot)} has two rows, this one and that of run {self._holder.run_id}."
            yield self._fault(Kind.DOUBLED, row, sentence)
        elif slot != self._due or row.last_slot is not None:
            yield from self._look_up(row, slot, last)
        if last > self.position:
            self.position, self._holder = last, row
            self._due = self._timetable.first_after(last)

    def _gap(self, until: datetime, kind: Kind = Kind.MISSING) -> Iterator[Finding]:
        """There is no row for any slot up to that instant."""
        first = self._due
        if first is None or first > until:
            return
        count = self._timetable.count_between(self.position, until)
        last = self._timetable.last_until(until) or first
        self._totals.slots_without_row += count
        subject, verb = slots_in_words(first, last, count), "has" if count == 1 else "have"
        sentence = f"{subject} {verb} no row in the ledger."
        if kind is Kind.UNCLAIMED:
            sentence = f"{subject} {'is' if count == 1 else 'are'} due and unclaimed: does an injector run?"
        yield Finding(kind, self._job, sentence, first, last if count > 1 else None, count)
        self.position = until
        self._due = self._timetable.first_after(until)

    def _look_up(self, row: AuditedRun, slot: datetime, last: datetime) -> Iterator[Finding]:
        """A row that is not simply for the slot that comes next."""
        count = self._timetable.count_between(just_before(slot), last)
        first, end = self._timetable.first_after(just_before(slot)), self._timetable.last_until(last)
        as_it_says = (first, end, count) == (slot, last, row.slots)
        if as_it_says and (count == 1 or row.status in _OF_RANGES):
            return
        if self._timetable.unreadable(just_before(slot), last):
            return
        if first != slot:
            yield self._fault(Kind.UNKNOWN_SLOT, row, f"{at(slot)} is no slot of this job.")
            return
        sentence = f"The row stands for {row.slots:,} slots from {at(slot)} to {at(last)}, "
        sentence += f"but is {row.status}." if as_it_says else f"where the schedule has {count:,}."
        yield self._fault(Kind.WRONG_RANGE, row, sentence)

    def _fault(self, kind: Kind, row: AuditedRun, sentence: str) -> Finding:
        last = row.last_slot if row.slots > 1 else None
        return Finding(kind, self._job, sentence, row.slot, last, row.slots, row.run_id)


def _slot(row: AuditedRun) -> str:
    return "" if row.slot is None else at(row.slot)
