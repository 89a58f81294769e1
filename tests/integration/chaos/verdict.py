"""What is to be held against cronq when all is over: the ledger and the files of the commands, compared.

Everything here follows from the documents, the times of their answers, and what the commands wrote.
"""

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from tests.integration.chaos.workload import Asked, Definition, Ran, Replacement, Turn, turns_of

_NEVER_RAN = frozenset({"queued", "missed", "skipped", "unroutable"})
_OPEN = frozenset({"queued", "running"})
_NEED_A_REASON = frozenset({"missed", "skipped", "lost", "killed", "unroutable"})
_LATEST = datetime.max


class Breach(enum.StrEnum):
    """What must not be."""

    NO_ROW = "slot without a row"
    NO_SLOT = "row without a slot"
    TWO_ROWS = "slot with two rows"
    RAN_TWICE = "run that ran twice"
    SLOT_RAN_TWICE = "slot that ran twice"
    RAN_UNKNOWN = "ran without a row"
    RAN_UNSAID = "ran, and its row says that it did not"
    WRONG_RUN = "ran as what it was not"
    DID_NOT_RUN = "row says that it ran, and it did not"
    WRONG_END = "status that its command does not end with"
    NOT_FINAL = "never final"
    NO_REASON = "without a reason"
    BY_HAND = "not as often by hand as asked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that must not be, and where."""

    breach: Breach
    where: str

    def __str__(self) -> str:
        return f"{self.breach}: {self.where}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the ledger."""

    name: str
    run_id: str
    slot: datetime | None
    last_slot: datetime | None
    slots: int
    attempt: int
    status: str
    reason: str | None
    runner: str | None

    def __str__(self) -> str:
        slot = self.slot.isoformat() if self.slot else "by hand"
        return f"{self.name} {slot}: run {self.run_id} is {self.status} ({self.reason or 'no reason'})"

    def covered(self) -> list[datetime]:
        """The slots that it stands for."""
        if self.slot is None:
            return []
        if self.slots == 1 or self.last_slot is None:
            return [self.slot]
        step = (self.last_slot - self.slot) / (self.slots - 1)
        return [self.slot + n * step for n in range(self.slots)]


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known when all is over."""

    replacements: Sequence[Replacement]
    asked: Sequence[Asked]
    rows: Sequence[Row]
    ran: Sequence[Ran]


@dataclass(slots=True)
class Verdict:
    """The findings, and the figures to publish."""

    slots: int = 0
    rows: int = 0
    #: Commands that ran.
    runs: int = 0
    missed_slots: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    #: Runs that stay `running`, granted to a runner that was killed just then.

    @property
    def twice(self) -> int:
        """How much ran twice."""
        return sum(each.breach in {Breach.RAN_TWICE, Breach.SLOT_RAN_TWICE} for each in self.findings)


def judge(evidence: Evidence) -> Verdict:
    """Hold the ledger and what ran against what was asked for."""
    verdict = Verdict(rows=len(evidence.rows), runs=len(evidence.ran))
    verdict.statuses.update(row.status for row in evidence.rows)
    verdict.missed_slots = sum(row.slots for row in evidence.rows if row.status == "missed")
    turns = turns_of(evidence.replacements)
    verdict.findings += _count_slots(turns, evidence.rows, verdict)
    verdict.findings += _by_hand(evidence)
    verdict.findings += _doubles(evidence.ran)
    verdict.findings += _runs(turns, evidence)
    verdict.findings += _rows(evidence, verdict)
    return verdict


def _count_slots(turns: dict[str, list[Turn]], rows: Iterable[Row], verdict: Verdict) -> Iterator[Finding]:
    covered: dict[str, Counter[datetime]] = {}
    for row in rows:
        if row.attempt != 1:
            yield Finding(Breach.NO_SLOT, f"{row}, attempt {row.attempt}, which nobody asked for")
        covered.setdefault(row.name, Counter()).update(row.covered())
    for name in sorted(turns.keys() | covered.keys()):
        found = covered.get(name, Counter())
        expected = _expected(turns.get(name, []), set(found))
        verdict.slots += len(expected)
        for slot in sorted(expected - found.keys()):
            yield Finding(Breach.NO_ROW, f"{name} {slot.isoformat()}")
        for slot in sorted(found.keys() - expected):
            yield Finding(Breach.NO_SLOT, f"{name} {slot.isoformat()}")
        for slot in sorted(slot for slot, count in found.items() if count > 1):
            yield Finding(Breach.TWO_ROWS, f"{name} {slot.isoformat()}: {found[slot]} rows")


def _expected(turns: Sequence[Turn], found: set[datetime]) -> set[datetime]:
    """The slots of a job that must have rows.

    Outside of its turns they are certain. Within a turn there is one instant, somewhere, up to which the old
    definition answers, and from which on the new one does: of all sets that this allows, the one that comes
    nearest to what was found, so that what then still differs is wrong whenever the turn was.
    """
    expected = set()
    for turn in turns:
        window = {slot for slot in found if turn.begun < slot <= turn.ended}
        expected |= min(_possible(turn), key=lambda slots, window=window: len(slots ^ window))  # type: ignore[misc]
    for before, after in pairwise(turns):
        expected |= _slots(before.new, before.ended, after.begun)
    if turns and turns[-1].new is not None:
        raise ValueError(f"{turns[-1].new.name} is still there, so its slots have no end")
    return expected


def _possible(turn: Turn) -> Iterator[set[datetime]]:
    old, new = (_slots(each, turn.begun, turn.ended) for each in (turn.old, turn.new))
    for instant in (turn.begun, *sorted(old | new)):
        yield {slot for slot in old if slot <= instant} | {slot for slot in new if slot > instant}


def _slots(definition: Definition | None, after: datetime, until: datetime) -> set[datetime]:
    return set(definition.slots(after, until)) if definition else set()


def _by_hand(evidence: Evidence) -> Iterator[Finding]:
    rows = Counter(row.name for row in evidence.rows if row.slot is None)
    tries: Counter[str] = Counter()
    for each in evidence.asked:
        tries[each.name] += each.tries
    for name in sorted(rows.keys() | tries.keys()):
        # Whatever was asked for twice before it was claimed is one run, and so may be what was tried twice.
        if not bool(tries[name]) <= rows[name] <= tries[name]:
            yield Finding(Breach.BY_HAND, f"{name}: {rows[name]} runs, asked for {tries[name]} times")


def _doubles(ran: Sequence[Ran]) -> Iterator[Finding]:
    for run_id, count in Counter(each.run_id for each in ran).items():
        if count > 1:
            yield Finding(Breach.RAN_TWICE, f"{run_id}: {count} times")
    run_ids: dict[tuple[str, datetime, int], set[str]] = {}
    for each in ran:
        if each.slot is not None:
            run_ids.setdefault((each.name, each.slot, each.attempt), set()).add(each.run_id)
    for (name, slot, attempt), found in run_ids.items():
        if len(found) > 1:
            where = f"{name} {slot.isoformat()}, attempt {attempt}: {', '.join(sorted(found))}"
            yield Finding(Breach.SLOT_RAN_TWICE, where)


def _runs(turns: dict[str, list[Turn]], evidence: Evidence) -> Iterator[Finding]:
    rows = {row.run_id: row for row in evidence.rows}
    for each in evidence.ran:
        row = rows.get(each.run_id)
        if row is None:
            yield Finding(Breach.RAN_UNKNOWN, f"{each.name}: run {each.run_id}")
        elif row.status in _NEVER_RAN:
            yield Finding(Breach.RAN_UNSAID, str(row))
        elif (row.name, row.slot, row.attempt) != (each.name, each.slot, each.attempt):
            yield Finding(Breach.WRONG_RUN, f"{row}; its command was run as {each}")
        elif each.version not in _versions(turns.get(each.name, []), each.slot):
            yield Finding(Breach.WRONG_RUN, f"{row}; its command was that of version {each.version}")


def _versions(turns: Sequence[Turn], slot: datetime | None) -> set[int]:
    """The versions that may have answered for that slot; for a run by hand, all there were."""
    ends = [turn.ended for turn in turns[1:]] + [_LATEST]
    return {
        turn.new.version
        for turn, end in zip(turns, ends, strict=False)
        if turn.new and (slot is None or turn.begun < slot <= end)
    }


def _rows(evidence: Evidence, verdict: Verdict) -> Iterator[Finding]:
    versions = {job.version: job for each in evidence.replacements for job in each.jobs}
    ran = {each.run_id: versions.get(each.version) for each in evidence.ran}
    for row in evidence.rows:
        if row.status in _OPEN:
            yield Finding(Breach.NOT_FINAL, str(row))
        elif row.status in {"succeeded", "failed", "timed_out"} and row.run_id not in ran:
            yield Finding(Breach.DID_NOT_RUN, str(row))
        elif not _may_end_so(row.status, ran.get(row.run_id)):
            yield Finding(Breach.WRONG_END, str(row))
        if row.status in _NEED_A_REASON and not row.reason:
            yield Finding(Breach.NO_REASON, str(row))


def _may_end_so(status: str, definition: Definition | None) -> bool:
    if status in {"succeeded", "failed"} and definition is not None:
        return (status == "succeeded") == (definition.exit_code == 0)
    return status not in {"timed_out", "unroutable"}
