"""How much is to run when: the slots of all jobs, and how long they usually take, laid on a row of bins."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronq.domain.schedules import Schedule
from cronq.domain.schedules.interface import tick_of

_SECOND = 10**6  # ticks


@dataclass(frozen=True, slots=True)
class Block:
    """Jobs that run by the same schedule."""

    schedule: Schedule
    #: How many of them there are; a fraction where they stand for others that were not looked at.
    jobs: float
    #: How long a run of them usually takes, in seconds; 0 when nobody knows.
    seconds: float
    #: No slot before that runs: a pause ends there.
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What comes, bin by bin."""

    begin: datetime
    #: The length of a bin.
    step: timedelta
    #: Runs that start in each bin.
    starts: tuple[float, ...]
    #: How many of them run at once in each bin, on average.
    running: tuple[float, ...]

    @property
    def end(self) -> datetime:
        """Where the last bin ends."""
        return self.begin + self.step * len(self.starts)

    def moment(self, index: int) -> datetime:
        """Where a bin begins."""
        return self.begin + self.step * index

    def fullest(self, count: int) -> list[int]:
        """The bins in which most runs start, the fullest first; none that is empty."""
        order = sorted(range(len(self.starts)), key=lambda index: (-self.starts[index], index))
        return [index for index in order[:count] if self.starts[index]]

    @property
    def usual(self) -> float:
        """The starts of the bin in the middle, when all are put in order."""
        return sorted(self.starts)[len(self.starts) // 2]


def load_of(blocks: Iterable[Block], begin: datetime, step: timedelta, bins: int) -> Load:
    """Lay the slots with `begin` <= slot < the end of the last bin on bins of the length `step`."""
    starts, busy = [0.0] * bins, _Busy(bins)
    first, width = tick_of(begin), step // timedelta(microseconds=1)
    end = begin + step * bins - timedelta.resolution
    for block in blocks:
        since = begin if block.since is None else max(begin, block.since)
        ticks = block.schedule.ticks_between(since - timedelta.resolution, end)
        length = block.seconds * _SECOND / width
        for index, offset, count in _binned(ticks, first, width):
            starts[index] += count * block.jobs
            busy.add(index + offset, length, count * block.jobs)
    return Load(begin, step, tuple(starts), busy.averages())


def _binned(ticks: Iterable[int], first: int, width: int) -> Iterable[tuple[int, float, int]]:
    """For each bin with slots: its index, where in it they lie (0 to 1), and how many they are."""
    if isinstance(ticks, range) and 0 < ticks.step < width and len(ticks):
        # Many slots in each bin: counted by arithmetic, and taken for spread evenly.
        index = (ticks[0] - first) // width
        while index <= (ticks[-1] - first) // width:
            before = _count_below(ticks, first + index * width)
            yield index, 0.0, _count_below(ticks, first + (index + 1) * width) - before
            index += 1
        return
    for tick in ticks:
        index, rest = divmod(tick - first, width)
        yield index, rest / width, 1


def _count_below(ticks: range, limit: int) -> int:
    return min(max(-((ticks.start - limit) // ticks.step), 0), len(ticks))


class _Busy:
    """Adds up the time that runs take in each bin, each of them in constant time."""

    def __init__(self, bins: int) -> None:
        self._parts = [0.0] * (bins + 1)
        #: By how much more bins are busy in full from there on.
        self._changes = [0.0] * (bins + 1)

    def add(self, start: float, length: float, count: float) -> None:
        """`count` runs from `start` on, in bins; what lies behind the last one is left out."""
        last = len(self._parts) - 1
        end = min(start + length, float(last))
        first_bin, last_bin = int(start), int(end)
        if first_bin == last_bin:
            self._parts[first_bin] += (end - start) * count
            return
        self._parts[first_bin] += (first_bin + 1 - start) * count
        self._changes[first_bin + 1] += count
        self._changes[last_bin] -= count
        self._parts[last_bin] += (end - last_bin) * count

    def averages(self) -> tuple[float, ...]:
        """How many run at once in each bin, on average."""
        level, found = 0.0, []
        for part, change in zip(self._parts[:-1], self._changes[:-1], strict=True):
            level += change
            found.append(max(level, 0.0) + part)
        return tuple(found)
