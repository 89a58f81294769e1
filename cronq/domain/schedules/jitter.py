"""A schedule whose slots are put off a little, each by an offset of its own that is always the same."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from cronq.domain.durations import Duration
from cronq.domain.schedules.interface import Schedule, previous_slot, tick_of

_SECOND = timedelta(seconds=1)


class Jittered(Schedule):
    """The slots of a schedule, each put off by less than the jitter, and not as far as the next one.

    So they keep their order and their number. The offset is in whole seconds, and follows from the seed and
    from the slot alone.
    """

    def __init__(self, schedule: Schedule, jitter: timedelta, seed: str) -> None:
        self.schedule = schedule
        self.jitter = jitter
        self._seed = seed

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`."""
        if (pending := self._pending(moment)) is not None:
            return pending
        slot = self.schedule.first_after(moment)
        return None if slot is None else self._put_off(slot)

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`."""
        slot = self.schedule.last_until(moment)
        if slot is not None and self._put_off(slot) > moment:
            slot = previous_slot(self.schedule, slot)
        return None if slot is None else self._put_off(slot)

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`."""
        if until <= after:
            return 0
        count = self.schedule.count_between(after, until)
        return count + (self._pending(after) is not None) - (self._pending(until) is not None)

    def ticks_between(self, after: datetime, until: datetime) -> Iterator[int]:
        """The slots with `after` < slot <= `until`."""
        if until > after and (pending := self._pending(after)) is not None and pending <= until:
            yield tick_of(pending)
        for slot in self.schedule.slots_between(after, until):
            if (put_off := self._put_off(slot)) <= until:
                yield tick_of(put_off)

    def in_words(self) -> str:
        """The phrase of the schedule, and how far its slots may be put off."""
        return f"{self.schedule.in_words()}, each up to {Duration(0, self.jitter).in_words()} later"

    def slot_before_jitter(self, slot: datetime) -> datetime:
        """Where one of its slots would be without its offset; what is no slot of it stays where it is."""
        before = self.schedule.last_until(slot)
        return before if before is not None and self._put_off(before) == slot else slot

    def slot_with_jitter(self, moment: datetime) -> datetime | None:
        """The slot that would be at that moment without its offset, None when there is none."""
        return self._put_off(moment) if self.schedule.last_until(moment) == moment else None

    def put_off_past(self, moment: datetime) -> Mapping[datetime, datetime]:
        """The slot that is later than `moment`, and would not be without its offset, if there is one."""
        pending = self._pending(moment)
        return {} if pending is None else {pending: self.slot_before_jitter(pending)}

    def _pending(self, moment: datetime) -> datetime | None:
        """A slot that would have been, but is put off until after the moment."""
        slot = self.schedule.last_until(moment)
        put_off = None if slot is None else self._put_off(slot)
        return put_off if put_off is not None and put_off > moment else None

    def _put_off(self, slot: datetime) -> datetime:
        following = self.schedule.first_after(slot)
        room = self.jitter if following is None else min(self.jitter, following - slot)
        digest = sha256(f"{self._seed} {slot.isoformat()}".encode()).digest()
        try:
            return slot + int.from_bytes(digest[:8]) % max(1, room // _SECOND) * _SECOND
        except OverflowError:
            return slot
