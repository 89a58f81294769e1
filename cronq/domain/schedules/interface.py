"""What the rest of cronq asks of any kind of schedule."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol

#: Ticks are microseconds since the year 1 began.
TICK = datetime.resolution
#: Stands for the step of what has one slot only.
_ONLY_ONCE = timedelta(days=1)


class Schedule(Protocol):
    """Slots on the time line; every `datetime` is naive UTC.

    A schedule answers by arithmetic from any moment, without going through the slots before it.
    """

    #: No slot is put off so far.
    jitter: timedelta = timedelta(0)

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`, None when there is none any more."""

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`, None when there is none yet."""

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`."""

    def ticks_between(self, after: datetime, until: datetime) -> Iterable[int]:
        """The slots with `after` < slot <= `until` in order, as ticks; a `range` where the step is exact."""

    def slots_between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots with `after` < slot <= `until`, made one by one in order."""
        return map(moment_of, self.ticks_between(after, until))

    def slot_before_jitter(self, slot: datetime) -> datetime:
        """Where one of its slots would be without jitter; what is no slot of it stays where it is."""
        return slot

    def slot_with_jitter(self, moment: datetime) -> datetime | None:
        """The slot that would be at that moment without jitter, None when there is none."""
        return moment if self.last_until(moment) == moment else None

    def put_off_past(self, moment: datetime) -> Mapping[datetime, datetime]:
        """The slots later than `moment` that would not be without jitter; each with where it would be."""
        return {}

    def in_words(self) -> str:
        """The schedule as a short English phrase, such as "every day at 06:30 UTC"."""


def step_after(schedule: Schedule, moment: datetime) -> timedelta:
    """The time between two slots that come next, or that were the last: there is no other one for display."""
    first = schedule.first_after(moment) or schedule.last_until(moment)
    following = None if first is None else schedule.first_after(first)
    if first is None or following is None:
        return _ONLY_ONCE
    return following - first


def previous_slot(schedule: Schedule, slot: datetime) -> datetime | None:
    """The slot before a slot, None when that is the first."""
    return None if slot == datetime.min else schedule.last_until(slot - TICK)


def tick_of(moment: datetime) -> int:
    """The tick of a moment."""
    return (moment - datetime.min) // TICK


def moment_of(tick: int) -> datetime:
    """The moment of a tick."""
    return datetime.min + timedelta(microseconds=tick)
