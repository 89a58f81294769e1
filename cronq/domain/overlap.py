"""What becomes of a run while others of its job have not ended: it starts, waits, or does not run at all."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cronq.domain.deadlines import why_too_late
from cronq.domain.rules import Overlap, Rules
from cronq.domain.runs import Cause, Status


class Admission(enum.Enum):
    """What may be done with a run."""

    START = enum.auto()
    #: It stays queued, and is not published.
    WAIT = enum.auto()
    SKIP = enum.auto()
    #: It is too late for it.
    MISS = enum.auto()


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run of a job that has not ended."""

    run_id: str
    status: Status
    #: None for a run by hand.
    slot: datetime | None = None
    #: Whether it waits for other runs of its job.
    waits: bool = False
    #: Whether its time has not come yet, as that of an attempt with a delay.
    early: bool = False
    #: Who runs it, if he can be told anything.
    runner: str | None = None
    host: str | None = None
    #: A `Cause`, when its job's schedule did not ask for it.
    cause: str | None = None
    #: From when its deadline counts, if it has one.
    due: datetime | None = None

    @property
    def patient(self) -> bool:
        """Whether it is of a backfill, so that it makes way for all others."""
        return self.cause == Cause.BACKFILL

    def in_words(self) -> str:
        """Which run it is, and where, in the middle of a sentence."""
        name = f"the run for {self.slot:%Y-%m-%d %H:%M:%S} UTC" if self.slot else "a run by hand"
        return f"{name} on {self.host}" if self.host else name


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided, and why unless it starts."""

    admission: Admission
    reason: str | None = None


STARTS = Verdict(Admission.START)


def most_at_once(rules: Rules) -> int | None:
    """How many runs of a job may be running at once; None: any number."""
    return rules.max_running if rules.overlap is Overlap.ALLOW else 1


def occupied(rules: Rules, runs: Iterable[OpenRun]) -> int:
    """How many places are taken by these runs of a job. Those that wait take none.

    Where each run is to end before the next, an attempt whose time has not come keeps its place.
    """
    in_turn = rules.overlap in {Overlap.SKIP, Overlap.QUEUE}
    return sum(not run.waits and (in_turn or not run.early) for run in runs)


def overdue(rules: Rules, runs: Iterable[OpenRun], now: datetime) -> dict[str, str]:
    """Those of these runs of a job that have not started and no longer may, by run id, each with the reason.

    They keep nothing else from running.
    """
    queued = (run for run in runs if run.status is Status.QUEUED)
    late = ((run.run_id, why_too_late(rules, run.due, run.cause, now)) for run in queued)
    return {run_id: reason for run_id, reason in late if reason is not None}


def to_let_go(rules: Rules | None, runs: Iterable[OpenRun]) -> list[str]:
    """The ids of those of these runs of a job, in the order in which they were made, that wait and may go.

    They are as many as there is room for, those of backfills last. `rules` is None when there are none.
    """
    runs = list(runs)
    waiting = [run.run_id for run in sorted(runs, key=lambda run: run.patient) if run.waits]
    most = None if rules is None else most_at_once(rules)
    if rules is None or most is None:
        return waiting
    return waiting[: max(0, most - occupied(rules, runs))]


def admit(rules: Rules, ahead: Sequence[OpenRun]) -> Verdict:
    """What becomes of a new run, when these of its job have not ended, oldest first."""
    if rules.overlap is Overlap.REPLACE:
        ahead = [run for run in ahead if run.status is Status.RUNNING]
    most = most_at_once(rules)
    if most is None or (occupied(rules, ahead) < most and not any(run.waits for run in ahead)):
        return STARTS
    # What runs may be younger than what waits for it, as a further attempt is.
    first = next((run for run in ahead if run.status is Status.RUNNING), ahead[0])
    if rules.overlap is Overlap.SKIP:
        return Verdict(Admission.SKIP, f"{first.in_words()} had not ended")
    if rules.overlap is Overlap.QUEUE and len(ahead) > 1:
        other = next(run for run in reversed(ahead) if run is not first)
        did = "was waiting already" if other.status is Status.QUEUED else "had not either"
        return Verdict(Admission.SKIP, f"{first.in_words()} had not ended, and {other.in_words()} {did}")
    return Verdict(Admission.WAIT, _what_for(rules, first, most))


def admit_start(
    rules: Rules, slot: datetime | None, running: Sequence[OpenRun], *, patient: bool = False
) -> Verdict:
    """What becomes of a run with this slot that is about to start, when these others are running.

    One that is `patient` waits whatever the rule, as nobody needs it to run in time.
    """
    most = most_at_once(rules)
    if most is None or len(running) < most:
        return STARTS
    other = running[0]
    if patient:
        return Verdict(Admission.WAIT, f"it waits until {other.in_words()} has ended")
    if rules.overlap is Overlap.SKIP:
        return Verdict(Admission.SKIP, f"{other.in_words()} had not ended")
    if rules.overlap is Overlap.REPLACE and slot and other.slot and slot < other.slot:
        return Verdict(Admission.SKIP, replaced_by(other.slot))
    return Verdict(Admission.WAIT, _what_for(rules, other, most))


#: How the reason of a run begins that had to make way for another one.
REPLACED = "replaced by "


def replaced_by(slot: datetime | None) -> str:
    """The reason of a run that had to make way for the one with this slot."""
    return f"{REPLACED}{OpenRun('', Status.QUEUED, slot).in_words()}"


def _what_for(rules: Rules, first: OpenRun, most: int) -> str:
    if rules.overlap is Overlap.ALLOW:
        runs = "one run" if most == 1 else f"{most} runs"
        return f"it waits, as at most {runs} of its job may be running at once"
    replaces = ", which it replaces," if rules.overlap is Overlap.REPLACE else ""
    return f"it waits until {first.in_words()}{replaces} has ended"
