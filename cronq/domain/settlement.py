"""Which slots of a job are due at an instant, which of them run, and what becomes of the others."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cronq.domain.deadlines import too_late
from cronq.domain.pauses import Pause
from cronq.domain.rules import DEFAULT_RULES, CatchUp, Rules
from cronq.domain.runs import Status
from cronq.domain.saturating import just_before, shifted
from cronq.domain.schedules import Schedule, previous_slot

#: A slot that an injector takes within this has not been missed.
IN_TIME = timedelta(minutes=1)
MISSED_REASON = "no injector claimed it before a later slot was due"
SKIPPED_ONCE = "somebody asked to skip it"


@dataclass(frozen=True, slots=True)
class Passed:
    """Slots, one after the other, that do not run."""

    status: Status
    reason: str
    first: datetime
    last: datetime
    count: int
    #: Whether what keeps them from running goes on, so that the next slot may join them.
    lasts: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked of a job besides its schedule, as far as it concerns slots that are due."""

    rules: Rules = DEFAULT_RULES
    pause: Pause | None = None
    #: The one slot that somebody wants skipped.
    skip_slot: datetime | None = None


@dataclass(slots=True)
class Settlement:
    """What became of the slots that fell due since the books were last closed."""

    #: The first slot that is not due yet; None when the schedule has none any more.
    next_run: datetime | None
    #: Every slot up to here is accounted for.
    settled_until: datetime
    #: The slots that run, in their order.
    slots: list[datetime] = field(default_factory=list)
    #: Those that do not, in their order.
    passed: list[Passed] = field(default_factory=list)


NO_TERMS = Terms()


def settle(schedule: Schedule, settled_until: datetime, now: datetime, terms: Terms = NO_TERMS) -> Settlement:
    """Close the books on the slots with `settled_until` < slot <= `now`.

    It takes no longer for many slots than for few, save for those that run.
    """
    until = max(settled_until, now)
    settlement = Settlement(schedule.first_after(until), until)
    latest = schedule.last_until(until)
    if latest is None or latest <= settled_until:
        return settlement
    due = _Due(schedule, settled_until, latest, settlement.passed)
    if terms.pause is not None:
        due.pass_until(just_before(terms.pause.end), Status.SKIPPED, terms.pause.reason, lasts=True)
    skip_slot = terms.skip_slot
    if skip_slot is not None and skip_slot <= latest and skip_slot == schedule.last_until(skip_slot):
        # There is none before it, unless somebody has moved the job at a prompt.
        due.pass_until(just_before(skip_slot), Status.MISSED, MISSED_REASON)
        due.pass_until(skip_slot, Status.SKIPPED, SKIPPED_ONCE)
    _settle_late(due, terms.rules, now)
    settlement.slots = _settle_rest(due, terms.rules)
    return settlement


class _Due:
    """The slots with `after` < slot <= `until` that are left to be settled."""

    def __init__(self, schedule: Schedule, after: datetime, until: datetime, passed: list[Passed]) -> None:
        self._schedule = schedule
        self._after = after
        self._until = until
        self._passed = passed

    def pass_until(self, end: datetime, status: Status, reason: str, *, lasts: bool = False) -> None:
        """None of those that are not later than `end` runs."""
        end = min(end, self._until)
        count = self._schedule.count_between(self._after, end) if end > self._after else 0
        if not count:
            return
        first, last = self._schedule.first_after(self._after), self._schedule.last_until(end)
        assert first is not None
        assert last is not None
        self._passed.append(Passed(status, reason, first, last, count, lasts))
        self._after = end

    def latest(self, count: int) -> list[datetime]:
        """As many of the latest, in their order."""
        return list(reversed([slot for slot, _ in zip(self._backwards(), range(count), strict=False)]))

    def _backwards(self) -> Iterator[datetime]:
        slot = self._schedule.last_until(self._until)
        while slot is not None and slot > self._after:
            yield slot
            slot = previous_slot(self._schedule, slot)


def _settle_late(due: _Due, rules: Rules, now: datetime) -> None:
    deadline = rules.deadline
    if deadline is None and rules.catch_up is not CatchUp.NONE:
        return
    if deadline is None:
        due.pass_until(
            just_before(shifted(now, -IN_TIME)), Status.MISSED, "no injector claimed it within a minute"
        )
    else:
        due.pass_until(just_before(shifted(now, -deadline)), Status.MISSED, too_late(deadline))


def _settle_rest(due: _Due, rules: Rules) -> list[datetime]:
    limited = rules.catch_up is CatchUp.ALL
    slots = due.latest(rules.catch_up_limit if limited else 1)
    if slots:
        reason = (
            f"more were due than the {rules.catch_up_limit} that are caught up" if limited else MISSED_REASON
        )
        due.pass_until(just_before(slots[0]), Status.MISSED, reason)
    return slots
