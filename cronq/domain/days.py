"""The days of a job, by UTC: how many of its slots and runs came to what, and what of that matters most."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from cronq.domain.runs import Status
from cronq.domain.schedules import Schedule

#: What somebody has to know first of a day.
WORST_FIRST = (
    Status.FAILED,
    Status.TIMED_OUT,
    Status.UNROUTABLE,
    Status.LOST,
    Status.MISSED,
    Status.KILLED,
    Status.RUNNING,
    Status.QUEUED,
    Status.SUCCEEDED,
    Status.SKIPPED,
)
_TICK = datetime.resolution

#: How many came to what.
Counts = Mapping[Status, int]


class Tally(defaultdict[date, Counter[Status]]):
    """How many came to what, by day."""

    def __init__(self) -> None:
        super().__init__(Counter)

    def add(self, day: date, status: Status, count: int = 1) -> None:
        """Count some more, or fewer."""
        self[day][status] += count

    def counts(self) -> dict[date, Counts]:
        """The days on which there was something, in order."""
        found = {day: dict(+self[day]) for day in sorted(self)}
        return {day: counts for day, counts in found.items() if counts}


def worst(counts: Counts) -> Status:
    """The status that matters most of those that are there."""
    return next(status for status in WORST_FIRST if counts.get(status))


def bounds(day: date) -> tuple[datetime, datetime]:
    """Where a day begins, and where the next one does."""
    begin = datetime.combine(day, time())
    return begin, begin + timedelta(days=1)


def slots_by_day(schedule: Schedule, first: datetime, last: datetime) -> dict[date, int]:
    """On which days the slots with `first` <= slot <= `last` lie, and how many on each."""
    found = {}
    after = first - _TICK
    while after < last:
        _, following = bounds((after + _TICK).date())
        until = min(last, following - _TICK)
        if count := schedule.count_between(after, until):
            found[until.date()] = count
        after = until
    return found
