"""Several schedules as one: a slot that two of them give is one slot."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import groupby
from math import gcd

from cronq.domain.schedules.interface import Schedule

#: Slots that are held in memory at once, to see which of them are the same: those of about a day.
_WINDOW = 86_400 * 1_000_000  # ticks


class Union(Schedule):
    """All slots of its members."""

    def __init__(self, members: Sequence[Schedule]) -> None:
        self.members = tuple(members)

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`."""
        return min(filter(None, (each.first_after(moment) for each in self.members)), default=None)

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`."""
        return max(filter(None, (each.last_until(moment) for each in self.members)), default=None)

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`.

        Evenly spaced slots are counted by arithmetic, however dense they are; of the others, as many are
        looked at as there are.
        """
        found = [each.ticks_between(after, until) for each in self.members]
        even = list(dict.fromkeys(ticks for ticks in found if isinstance(ticks, range)))
        others = merge(*(ticks for ticks in found if not isinstance(ticks, range)))
        return _count_of_union(even) + sum(
            1
            for _, ticks in groupby(others, key=lambda tick: tick // _WINDOW)
            for tick in set(ticks)
            if not any(tick in ticks for ticks in even)
        )

    def ticks_between(self, after: datetime, until: datetime) -> Iterator[int]:
        """The slots with `after` < slot <= `until`, each once."""
        ticks: Iterable[int] = merge(*(each.ticks_between(after, until) for each in self.members))
        return (tick for tick, _ in groupby(ticks))

    def in_words(self) -> str:
        """The phrases of its members."""
        return "; and ".join(each.in_words() for each in self.members)


def _count_of_union(ranges: Iterable[range]) -> int:
    """How many numbers are in any of the ranges, by inclusion and exclusion."""
    counted: dict[range, int] = {}
    for each in ranges:
        for other, times in list(counted.items()):
            if common := _intersection(each, other):
                counted[common] = counted.get(common, 0) - times
        counted[each] = counted.get(each, 0) + 1
        counted = {common: times for common, times in counted.items() if times}
    return sum(len(common) * times for common, times in counted.items())


def _intersection(one: range, other: range) -> range:
    """The numbers that are in both (the Chinese remainder theorem)."""
    divisor = gcd(one.step, other.step)
    apart = other.start - one.start
    if apart % divisor or not (one and other):
        return range(0)
    step = one.step // divisor * other.step
    times = apart // divisor * pow(one.step // divisor, -1, other.step // divisor)
    number = one.start + times % (other.step // divisor) * one.step
    begin = max(one.start, other.start)
    first = number + -(-(begin - number) // step) * step
    return range(first, min(one[-1], other[-1]) + 1, step)
