"""A schedule within a time, or with exceptions: only the slots in certain windows."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from cronq.domain.saturating import just_before
from cronq.domain.schedules.interface import TICK, Schedule


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A span of time; both ends belong to it. Naive UTC."""

    first: datetime = datetime.min
    last: datetime = datetime.max


class Within(Schedule):
    """The slots of a schedule that lie in any of these windows, which are in order and do not overlap."""

    def __init__(self, schedule: Schedule, windows: Iterable[Window], exceptions: str) -> None:
        self.schedule = schedule
        self.windows = tuple(windows)
        self._exceptions = exceptions
        self._firsts = [window.first for window in self.windows]
        self._lasts = [window.last for window in self.windows]

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`."""
        index = bisect_right(self._lasts, moment)
        while index < len(self.windows):
            window = self.windows[index]
            slot = self.schedule.first_after(max(moment, just_before(window.first)))
            if slot is None or slot <= window.last:
                return slot
            index = bisect_left(self._lasts, slot)
        return None

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`."""
        index = bisect_right(self._firsts, moment) - 1
        while index >= 0:
            window = self.windows[index]
            slot = self.schedule.last_until(min(moment, window.last))
            if slot is None or slot >= window.first:
                return slot
            index = bisect_right(self._firsts, slot) - 1
        return None

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`."""
        return sum(self.schedule.count_between(*part) for part in self._parts(after, until))

    def ticks_between(self, after: datetime, until: datetime) -> Iterable[int]:
        """The slots with `after` < slot <= `until`."""
        parts = [self.schedule.ticks_between(*part) for part in self._parts(after, until)]
        return parts[0] if len(parts) == 1 else chain.from_iterable(parts)

    def in_words(self) -> str:
        """The phrase of the schedule, and what is left out of it."""
        return f"{self.schedule.in_words()}, {self._exceptions}"

    def _parts(self, after: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The windows between two moments, as such moments."""
        for window in self.windows[bisect_right(self._lasts, after) :]:
            if window.first > until:
                break
            begin, end = max(after, just_before(window.first)), min(until, window.last)
            if begin < end:
                yield begin, end


def windows_without(whole: Window, exceptions: Iterable[Window]) -> list[Window]:
    """What is left of a window when others are taken out of it."""
    left = []
    begin = whole.first
    for window in sorted(exceptions):
        if begin < window.first <= whole.last:
            left.append(Window(begin, just_before(window.first)))
        if window.last >= whole.last:
            return left
        begin = max(begin, window.last + TICK)
    return [*left, Window(begin, whole.last)] if begin <= whole.last else left
