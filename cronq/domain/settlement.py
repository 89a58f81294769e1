"""Which slots of a job are due at an instant, which of them runs, and which were missed."""

from dataclasses import dataclass
from datetime import datetime

from cronq.domain.schedules import Schedule


@dataclass(frozen=True, slots=True)
class Missed:
    """Slots that no one claimed in time, one after the other."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of the slots that fell due since the books were last closed."""

    #: The slot that runs: the latest that is due. None when none is.
    slot: datetime | None
    #: The due slots before it.
    missed: Missed | None
    #: The first slot that is not due yet; None when the schedule has none any more.
    next_run: datetime | None
    #: Every slot up to here is accounted for.
    settled_until: datetime


def settle(schedule: Schedule, settled_until: datetime, now: datetime) -> Settlement:
    """Close the books on the slots with `settled_until` < slot <= `now`, in constant time."""
    until = max(settled_until, now)
    slot = schedule.last_until(until)
    if slot is None or slot <= settled_until:
        return Settlement(None, None, schedule.first_after(until), until)
    return Settlement(slot, _missed(schedule, settled_until, slot), schedule.first_after(until), until)


def _missed(schedule: Schedule, settled_until: datetime, slot: datetime) -> Missed | None:
    count = schedule.count_between(settled_until, slot) - 1
    if not count:
        return None
    first = schedule.first_after(settled_until)
    last = schedule.last_until(slot - datetime.resolution)
    assert first is not None
    assert last is not None
    return Missed(first, last, count)
