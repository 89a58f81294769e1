"""What a change of a schedule leaves to the next one: the slots that jitter has put off past the change.

Slots are handed over by the times at which they would be without jitter: those up to the change are slots of
the old schedule, also when they are still to come, and those after it are slots of the new one.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from typing import Any

from cronq.domain.schedules.interface import TICK, Schedule, tick_of


@dataclass(frozen=True, slots=True)
class Handover:
    """How the slots of a schedule differ from what it says, right after it has replaced another one."""

    #: Slots of the old schedule that were still to come, each with the time of it without jitter.
    carried: tuple[tuple[datetime, datetime], ...] = ()
    #: Slots of the new one that the old one has had, or has still to come, by their times without jitter.
    left_out: tuple[datetime, ...] = ()

    def __bool__(self) -> bool:
        """Whether they differ."""
        return bool(self.carried or self.left_out)

    def encode(self) -> dict[str, Any]:
        """The same in JSON."""
        carried = {slot.isoformat(): before.isoformat() for slot, before in self.carried}
        return {"carried": carried, "left_out": [slot.isoformat() for slot in self.left_out]}

    @classmethod
    def decode(cls, stored: Mapping[str, Any]) -> "Handover":
        """Read what `encode` gave; raises `ValueError`, `TypeError` or `KeyError`."""
        read = datetime.fromisoformat
        return cls(
            tuple((read(slot), read(before)) for slot, before in stored["carried"].items()),
            tuple(map(read, stored["left_out"])),
        )


NO_HANDOVER = Handover()


def hand_over(old: Schedule, new: Schedule, until: datetime, now: datetime) -> Handover:
    """What is left when a schedule is replaced at `now` that had slots until `until`."""
    carried = {slot: before for slot, before in old.put_off_past(until).items() if slot > now}
    doubled = {slot for slot in new.put_off_past(until) if slot > now}
    return Handover(
        tuple(sorted((slot, before) for slot, before in carried.items() if slot not in doubled)),
        tuple(sorted(doubled - carried.keys())),
    )


class HandedOver(Schedule):
    """The slots of a schedule, with those that it has taken over and without those that it has not."""

    def __init__(self, schedule: Schedule, handover: Handover) -> None:
        self.schedule = schedule
        self._left_out = {slot for slot in handover.left_out if schedule.last_until(slot) == slot}
        self._carried = {
            slot: before for slot, before in handover.carried if schedule.last_until(slot) != slot
        }
        put_off = (slot - before + TICK for slot, before in handover.carried)
        self.jitter = max((schedule.jitter, *put_off))

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`."""
        slot = self.schedule.first_after(moment)
        while slot in self._left_out:
            slot = self.schedule.first_after(slot)
        carried = (each for each in self._carried if each > moment)
        return min(carried if slot is None else (slot, *carried), default=None)

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`."""
        slot = self.schedule.last_until(moment)
        while slot in self._left_out:
            slot = self.schedule.last_until(slot - TICK)
        carried = (each for each in self._carried if each <= moment)
        return max(carried if slot is None else (slot, *carried), default=None)

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`."""
        count = self.schedule.count_between(after, until)
        more, fewer = (
            sum(after < slot <= until for slot in slots) for slots in (self._carried, self._left_out)
        )
        return count + more - fewer

    def ticks_between(self, after: datetime, until: datetime) -> Iterable[int]:
        """The slots with `after` < slot <= `until`."""
        ticks = self.schedule.ticks_between(after, until)
        carried = sorted(tick_of(slot) for slot in self._carried if after < slot <= until)
        left_out = {tick_of(slot) for slot in self._left_out if after < slot <= until}
        return _changed(ticks, carried, left_out) if carried or left_out else ticks

    def slot_before_jitter(self, slot: datetime) -> datetime:
        """Where one of its slots would be without jitter; what is no slot of it stays where it is."""
        return self._carried.get(slot) or self.schedule.slot_before_jitter(slot)

    def slot_with_jitter(self, moment: datetime) -> datetime | None:
        """The slot that would be at that moment without jitter, None when there is none."""
        carried = (slot for slot, before in self._carried.items() if before == moment)
        slot = self.schedule.slot_with_jitter(moment)
        return next(carried, None if slot in self._left_out else slot)

    def put_off_past(self, moment: datetime) -> Mapping[datetime, datetime]:
        """The slots that are later than `moment`, and would not be without jitter."""
        found = {**self.schedule.put_off_past(moment), **self._carried}
        return {
            slot: before
            for slot, before in found.items()
            if before <= moment < slot and slot not in self._left_out
        }

    def in_words(self) -> str:
        """The phrase of the schedule."""
        return self.schedule.in_words()


def _changed(ticks: Iterable[int], more: Iterable[int], fewer: set[int]) -> Iterator[int]:
    return merge((tick for tick in ticks if tick not in fewer), more)
