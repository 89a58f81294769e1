"""A year of a job as a grid: a row for each weekday, a column for each week."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from cronq.database.reading.days import JobDays
from cronq.domain.days import WORST_FIRST, worst
from cronq.domain.runs import Status
from cronq.web.words.days import counts_in_words, short_day

_WEEK = 7  # days
#: The name of a month takes the width of so many weeks.
_ROOM_FOR_NAME = 2


@dataclass(frozen=True, slots=True)
class Day:
    """One day."""

    date: date
    #: What matters most of it; None: there was nothing.
    status: Status | None
    #: Whether there was something else besides.
    mixed: bool
    #: Which day it is, and what there was.
    text: str


@dataclass(frozen=True, slots=True)
class Month:
    """The weeks that begin in one month."""

    weeks: int
    #: Empty when there is no room for it.
    name: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The whole grid."""

    months: tuple[Month, ...]
    #: Each with its name, and a day for each week; None: it is still to come.
    weekdays: tuple[tuple[str, tuple[Day | None, ...]], ...]
    #: How many came to what in all of it, the worst first.
    totals: Mapping[Status, int]


def calendar(found: JobDays) -> Calendar:
    """The grid of a time that begins on a Monday."""
    count = (found.until - found.since).days // _WEEK + 1
    mondays = [found.since + timedelta(weeks=number) for number in range(count)]
    weekdays = []
    for number in range(_WEEK):
        days = [monday + timedelta(days=number) for monday in mondays]
        weekdays.append((f"{days[0]:%a}", tuple(_day(found, day) for day in days)))
    return Calendar(tuple(_months(mondays)), tuple(weekdays), _totals(found))


def _months(mondays: list[date]) -> list[Month]:
    groups = [list(group) for _, group in groupby(mondays, key=lambda day: (day.year, day.month))]
    return [Month(len(weeks), f"{weeks[0]:%b}" if len(weeks) >= _ROOM_FOR_NAME else "") for weeks in groups]


def _day(found: JobDays, day: date) -> Day | None:
    if day > found.until:
        return None
    counts = found.counts.get(day)
    if counts is None:
        return Day(day, None, mixed=False, text=f"{short_day(day)}: nothing")
    return Day(day, worst(counts), len(counts) > 1, f"{short_day(day)}: {counts_in_words(counts)}")


def _totals(found: JobDays) -> dict[Status, int]:
    totals: Counter[Status] = Counter()
    for counts in found.counts.values():
        totals.update(counts)
    return {status: totals[status] for status in WORST_FIRST if totals[status]}
