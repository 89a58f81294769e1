"""When a job runs: its slots, found by arithmetic from one fixed start and never step by step."""

import re
from calendar import day_name, month_name
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from reprlib import repr as excerpt
from typing import Protocol

from cronq.domain.durations import Duration, add_months, check_length, parse_duration
from cronq.domain.errors import BadSchedule
from cronq.domain.instants import parse_instant

LENGTH_LIMIT = 255  # characters
_EXAMPLE = "R/2013-05-29T00:00:00/PT1M"
_SHORTEST_MONTH = 28  # days
_REPETITIONS = re.compile(r"R(\d{0,9})", re.ASCII)


class Schedule(Protocol):
    """What the rest of cronq asks of any kind of schedule; every `datetime` is naive UTC."""

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`, None when there is none any more."""

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`, None when there is none yet."""

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`."""

    def slots_between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots with `after` < slot <= `until`, one by one in order."""


@dataclass(frozen=True, slots=True)
class RepeatingInterval:
    """An ISO 8601 repeating interval: slot n, from 0, is start + n times the duration.

    The n-th slot takes n times the months in one stride from the start, lands on the last day of a month that
    is too short, and then adds n times the exact part. So a monthly job that starts on 31 January runs on
    28 February and on 31 March. The slots strictly increase. Raises `BadSchedule` for a duration under one
    second or over 8,000 years.
    """

    #: Naive UTC; the first slot.
    start: datetime
    #: Whole months of the calendar in a step.
    months: int
    #: What a step has besides its months.
    exact: timedelta
    #: How many slots there are; None: no end.
    repetitions: int | None = None

    def __post_init__(self) -> None:
        check_length(self.duration)
        if self.repetitions is not None and self.repetitions < 1:
            raise BadSchedule("a schedule has at least one repetition, R1")

    @property
    def interval(self) -> timedelta:
        """The exact length of a step; of calendar steps, the length of the first one (for display)."""
        second = self._at(1)
        return self.duration.mean if second is None else second - self.start

    def slot(self, n: int) -> datetime | None:
        """Slot n, counted from 0; None when there are fewer, or when it would lie past the year 9999."""
        return self._at(n) if n >= 0 and (self.repetitions is None or n < self.repetitions) else None

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`, which is the start for all that is before it."""
        return self.slot(self._index_until(moment) + 1)

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`."""
        return self.slot(self._index_until(moment))

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`, in constant time."""
        return max(0, self._index_until(until) - self._index_until(after))

    def slots_between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """The slots with `after` < slot <= `until`, made one by one as they are asked for."""
        indexes = range(self._index_until(after) + 1, self._index_until(until) + 1)
        return filter(None, map(self._at, indexes))

    def __str__(self) -> str:
        """The canonical text: `parse_schedule` makes an equal value of it."""
        return f"R{self.repetitions or ''}/{self.start.isoformat()}Z/{self.duration}"

    @property
    def duration(self) -> Duration:
        """One step."""
        return Duration(self.months, self.exact)

    def _at(self, n: int) -> datetime | None:
        """The start and n steps, whatever the repetitions say; None past the year 9999."""
        try:
            base = add_months(self.start, n * self.months) if self.months else self.start
            return base + n * self.exact
        except OverflowError:
            return None

    def _index_until(self, moment: datetime) -> int:
        """The number of the latest slot that is not later than `moment`; -1 when there is none."""
        if moment < self.start:
            return -1
        n = self._calendar_index_until(moment) if self.months else (moment - self.start) // self.exact
        return n if self.repetitions is None else min(n, self.repetitions - 1)

    def _calendar_index_until(self, moment: datetime) -> int:
        # However many they are, calendar months stay within a week of as many mean months, and a step has 28
        # days or more: so the estimate is wrong by one at most, either way.
        n = (moment - self.start) // self.duration.mean + 1
        while (slot := self._at(n)) is None or slot > moment:
            n -= 1
        return n


def parse_schedule(text: str) -> RepeatingInterval:
    """Read an ISO 8601 repeating interval: `R[n]/start/duration`, `R[n]/start/end` or `R[n]/duration/end`.

    What names no offset is UTC, save that an end takes over the offset of its start, as the standard says.
    Raises `BadSchedule`, whose position is the offset of the fault in `text`.
    """
    return _parse_schedule(text)


def fixed_interval(start: datetime, every: timedelta) -> RepeatingInterval:
    """The schedule of a job of which only one slot and the time between two are known, as 0.27 stored it.

    Raises `BadSchedule`.
    """
    return RepeatingInterval(start, 0, every)


def describe(schedule: RepeatingInterval) -> str:
    """The schedule as a short English phrase for a page, such as "every day at 06:30 UTC"."""
    start, count = schedule.start, schedule.repetitions
    clock = start.time().isoformat("auto" if start.second or start.microsecond else "minutes")
    if count == 1:
        return f"once at {start.date()} {clock} UTC"
    phrase = "every " + schedule.duration.in_words().removeprefix("1 ")
    if schedule.months or schedule.exact % timedelta(days=1) == timedelta(0):
        phrase += f"{_place(schedule)} at {clock} UTC"
    return phrase if count is None else f"{phrase}, {count} times"


@lru_cache(maxsize=16_384)
def _parse_schedule(text: str) -> RepeatingInterval:
    if len(text) > LENGTH_LIMIT:
        raise BadSchedule(f"a schedule has at most {LENGTH_LIMIT} characters, as in {_EXAMPLE}", LENGTH_LIMIT)
    head, *parts = text.split("/")
    repetitions = _parse_repetitions(head)
    if text.count("/") != _EXAMPLE.count("/"):
        place = len("/".join([head, *parts[:2]]))
        raise BadSchedule(f"a schedule has three parts with a slash between them, as in {_EXAMPLE}", place)
    start, duration = _parse_interval(parts[0], parts[1], len(head) + 1)
    return RepeatingInterval(start, duration.months, duration.exact, repetitions)


def _parse_repetitions(text: str) -> int | None:
    found = _REPETITIONS.fullmatch(text)
    if found is None:
        wrong = f"{excerpt(text)} does not say how often"
        raise BadSchedule(f"{wrong}: begin with R for ever, or with R1 to R999999999, as in {_EXAMPLE}")
    if not found[1]:
        return None
    if int(found[1]) == 0:
        raise BadSchedule(f"{text} would never run: write R1 to run once, or R to run for ever", 1)
    return int(found[1])


def _parse_interval(first: str, second: str, position: int) -> tuple[datetime, Duration]:
    """The start and the duration, from the two parts that follow the repetitions."""
    middle = position + len(first) + 1
    if _is_duration(first) and _is_duration(second):
        raise BadSchedule("a schedule has one duration: write a start before it or an end after it", middle)
    if _is_duration(second):
        return parse_instant(first, position).moment, parse_duration(second, middle)
    if _is_duration(first):
        duration = parse_duration(first, position)
        end = parse_instant(second, middle).moment
        return _start_before(end, duration, position), duration
    start = parse_instant(first, position)
    length = parse_instant(second, middle, start.offset).moment - start.moment
    if length <= timedelta(0):
        raise BadSchedule("the end must be later than the start", middle)
    duration = Duration(0, length)
    check_length(duration, middle)
    return start.moment, duration


def _is_duration(text: str) -> bool:
    return text.lstrip("+-").startswith(("P", "p"))


def _start_before(end: datetime, duration: Duration, position: int) -> datetime:
    try:
        return duration.before(end)
    except OverflowError as error:
        raise BadSchedule("the start, duration before end, would lie before the year 1", position) from error


def _place(schedule: RepeatingInterval) -> str:
    """Where in the year, month or week a slot lies; empty when its step is not of whole days."""
    start, duration = schedule.start, schedule.duration
    if duration.months and duration.exact:
        return f" from {start.date()}"
    if duration.months:
        return f" on {_day(start, duration.months)}"
    if duration.exact % timedelta(weeks=1) == timedelta(0):
        return f" on {day_name[start.weekday()]}"
    return ""


def _day(start: datetime, months: int) -> str:
    """The day in the month or in the year of a calendar step, and what becomes of it where it is missing."""
    if months % 12:
        return f"day {start.day}" + (" (or its last day)" if start.day > _SHORTEST_MONTH else "")
    leap_day = (start.month, start.day) == (2, 29)
    return f"{start.day} {month_name[start.month]}" + (" (28 in common years)" if leap_day else "")
