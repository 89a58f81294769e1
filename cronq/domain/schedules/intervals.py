"""ISO 8601 repeating intervals: slots found by arithmetic from one fixed start and never step by step."""

from bisect import bisect_left, bisect_right
from calendar import day_name, month_name
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from cronq.domain.durations import Duration, add_months, check_length
from cronq.domain.errors import BadSchedule
from cronq.domain.schedules.interface import TICK, Schedule, tick_of
from cronq.domain.zones import instant_of, skipped_days, wall_time

_SHORTEST_MONTH = 28  # days
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class RepeatingInterval(Schedule):
    """Slot n, from 0, is start + n times the duration.

    The n-th slot takes n times the months and the days in one stride from the start, by the clocks of the
    zone, lands on the last day of a month that is too short, and then adds n times the exact part. So a
    monthly job that starts on 31 January runs on 28 February and on 31 March. What the clocks skip is the
    moment after; of a day that the zone skipped there is no slot. The slots strictly increase. Raises
    `BadSchedule` for a duration under one second or over 8,000 years.
    """

    #: Naive UTC; the first slot.
    start: datetime
    #: Whole months of the calendar in a step.
    months: int
    #: What a step has besides its months and days.
    exact: timedelta
    #: How many slots there are; None: no end.
    repetitions: int | None = None
    #: Days of the calendar in a step; none in UTC, where they are exact.
    days: int = 0
    #: Whose clocks and calendar the months and days follow; None: UTC.
    zone: ZoneInfo | None = None
    #: What the clocks are to show at the start, where they skip that.
    wall: datetime | None = None

    def __post_init__(self) -> None:
        check_length(self.duration)
        if self.repetitions is not None and self.repetitions < 1:
            raise BadSchedule("a schedule has at least one repetition, R1")

    @property
    def duration(self) -> Duration:
        """One step."""
        return Duration(self.months, self.exact + self.days * _DAY, self.days)

    @property
    def interval(self) -> timedelta:
        """The exact length of a step; of calendar steps, the length of the first one (for display)."""
        second = self._at(1)
        return self.duration.mean if second is None else second - self.start

    def slot(self, n: int) -> datetime | None:
        """Slot n, counted from 0; None when there are fewer, or when it would lie past the year 9999."""
        if n < 0 or (self.repetitions is not None and n >= self.repetitions):
            return None
        return self._at(n + bisect_right(self._slots_before_skipped, n))

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`, which is the start for all that is before it."""
        return self.slot(self._index_until(moment) + 1)

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`."""
        return self.slot(self._index_until(moment))

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`, in constant time."""
        return max(0, self._index_until(until) - self._index_until(after))

    def ticks_between(self, after: datetime, until: datetime) -> Iterable[int]:
        """The slots with `after` < slot <= `until`, made one by one as they are asked for."""
        indexes = range(self._index_until(after) + 1, self._index_until(until) + 1)
        if self.months or self.days:
            return map(tick_of, filter(None, map(self.slot, indexes)))
        start, step = tick_of(self.start), self.exact // TICK
        return range(start + indexes.start * step, start + indexes.stop * step, step)

    def in_words(self) -> str:
        """A phrase such as "every day at 06:30 UTC"."""
        return _phrase(self)

    def __str__(self) -> str:
        """The canonical text: in the same zone, an equal value can be read from it."""
        return f"R{self.repetitions or ''}/{self.start.isoformat()}Z/{self.duration}"

    @cached_property
    def wall_start(self) -> datetime:
        """What the clocks show at the start."""
        return self.wall or wall_time(self.start, self.zone)

    @cached_property
    def _skipped(self) -> list[int]:
        """The numbers of the steps that lead to a day that the zone skipped."""
        if self.zone is None or self.exact or not (self.months or self.days):
            return []
        days = [day for day in skipped_days(self.zone) if day > self.wall_start.date()]
        near = ((day, (day - self.wall_start.date()) // self.duration.mean) for day in days)
        return [n for day, about in near for n in (about, about + 1) if self._falls_on(n, day)]

    @cached_property
    def _slots_before_skipped(self) -> list[int]:
        return [n - index for index, n in enumerate(self._skipped)]

    def _at(self, n: int) -> datetime | None:
        """The start and n steps, also past the last slot; None after 9999 and on a skipped day."""
        try:
            if n == 0 or not (self.months or self.days):
                return self.start + n * self.exact
            wall = self._wall(n)
            moment = instant_of(wall, self.zone)
            if moment is None and self.exact:
                moment = instant_of(datetime.combine(wall.date() + _DAY, time()), self.zone)
            return None if moment is None else moment + n * self.exact
        except OverflowError:
            return None

    def _wall(self, n: int) -> datetime:
        """What the clocks show after n steps, without their exact part."""
        return add_months(self.wall_start, n * self.months) + n * self.days * _DAY

    def _falls_on(self, n: int, day: date) -> bool:
        try:
            return self._wall(n).date() == day
        except OverflowError:
            return False

    def _index_until(self, moment: datetime) -> int:
        """The number of the latest slot that is not later than `moment`; -1 when there is none."""
        if moment < self.start:
            return -1
        if self.months or self.days:
            n = self._calendar_steps_until(moment)
            n -= bisect_left(self._skipped, n)
        else:
            n = (moment - self.start) // self.exact
        return n if self.repetitions is None else min(n, self.repetitions - 1)

    def _calendar_steps_until(self, moment: datetime) -> int:
        # However many they are, calendar months stay within a week of as many mean months, and a step has 28
        # days or more; and by the clocks a day is a day: the estimate is wrong by one at most, either way.
        n = (_wall_near(moment, self.zone) - self.wall_start) // self.duration.mean + 1
        while (slot := self._at(n)) is None or slot > moment:
            n -= 1
        return n


def fixed_interval(start: datetime, every: timedelta) -> RepeatingInterval:
    """The schedule of a job of which only one slot and the time between two are known, as 0.27 stored it.

    Raises `BadSchedule`.
    """
    return RepeatingInterval(start, 0, every)


def _wall_near(moment: datetime, zone: ZoneInfo | None) -> datetime:
    try:
        return wall_time(moment, zone)
    except OverflowError:
        return moment


def _phrase(schedule: RepeatingInterval) -> str:
    start, count = schedule.wall_start, schedule.repetitions
    clock = start.time().isoformat("auto" if start.second or start.microsecond else "minutes")
    clock = f"{clock} {schedule.zone or 'UTC'}"
    if count == 1:
        return f"once at {start.date()} {clock}"
    phrase = "every " + schedule.duration.in_words().removeprefix("1 ")
    if schedule.months or schedule.days or schedule.exact % _DAY == timedelta(0):
        phrase += f"{_place(schedule)} at {clock}"
    return phrase if count is None else f"{phrase}, {count} times"


def _place(schedule: RepeatingInterval) -> str:
    """Where in the year, month or week a slot lies; empty when its step is not of whole days."""
    start, duration = schedule.wall_start, schedule.duration
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
