"""Cron expressions: slots by the clocks of a zone, with Debian's rules for the days on which these change.

cronsim says what the fields mean and which days they choose. Its own way from slot to slot is not taken: it
goes step by step, and in the hour that clocks show twice it may lead back.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, MINYEAR, date, datetime, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from cronq.domain.schedules.cron_text import CronText
from cronq.domain.schedules.interface import Schedule
from cronq.domain.zones import DAY, FIRST_DAY, LAST_DAY, instant_of, segments_of, steady_offset

#: The calendar repeats itself after 28 years, or 40 where a century has no leap day. cronsim's own limit.
_LONGEST_PAUSE = 50 * 12  # months
_TICKS_PER_SECOND = 1_000_000

#: The slots of a day of UTC, as seconds of that day.
Slots = tuple[int, ...]


class Cron(Schedule):
    """The slots of a cron expression.

    A job with a `*` at the beginning of its minutes or hours follows the clocks as they go: what they skip is
    no slot, and what they show twice is two. Any other job is for fixed times of the day: what the clocks
    skip runs right after that, and what they show twice runs the first time.

    All slots of a day of UTC are a tuple that is made once for each way in which the clocks differ from UTC
    and the two local days that it touches are chosen; so any slot is found by looking up a few days.
    """

    def __init__(self, text: CronText, zone: ZoneInfo | None) -> None:
        self.text = text
        self.zone = zone
        self._times = text.seconds_of_day()
        #: By month, counted from the year 0: bit n is set when day n is chosen.
        self._months: dict[int, int] = {}
        self._steady: dict[tuple[int, bool, bool], Slots] = {}
        self._unsteady: dict[int, Slots] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cron) and (self.text, self.zone) == (other.text, other.zone)

    def __hash__(self) -> int:
        return hash((self.text, self.zone))

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`."""
        day, second = _parted(moment)
        slots = self._slots_of(day)
        if slots and second < slots[-1]:
            return _moment(day, slots[bisect_right(slots, second)])
        chosen = self._chosen_from(day, 1)
        while chosen is not None:
            # A day of the zone lies in three days of UTC, wherever on earth that is.
            for later in range(max(day, chosen - 2) + 1, chosen + 2):
                if slots := self._slots_of(later):
                    return _moment(later, slots[0])
            chosen = self._chosen_from(chosen + 1, 1)
        return None

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`."""
        day, second = _parted(moment)
        slots = self._slots_of(day)
        if slots and slots[0] <= second:
            return _moment(day, slots[bisect_right(slots, second) - 1])
        chosen = self._chosen_from(day, -1)
        while chosen is not None:
            for earlier in range(min(day, chosen + 2) - 1, chosen - 2, -1):
                if slots := self._slots_of(earlier):
                    return _moment(earlier, slots[-1])
            chosen = self._chosen_from(chosen - 1, -1)
        return None

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`; a day takes about a microsecond."""
        if until <= after:
            return 0
        (first, begin), (last, end) = _parted(after), _parted(until)
        whole = sum(len(self._slots_of(day)) for day in range(first, last))
        before, within = bisect_right(self._slots_of(first), begin), bisect_right(self._slots_of(last), end)
        return whole - before + within

    def ticks_between(self, after: datetime, until: datetime) -> Iterable[int]:
        """The slots with `after` < slot <= `until`, made day by day as they are asked for."""
        (first, begin), (last, end) = _parted(after), _parted(until)
        return chain.from_iterable(
            self._ticks_of(day, begin if day == first else -1, end if day == last else DAY)
            for day in range(first, last + 1)
        )

    def in_words(self) -> str:
        """A phrase such as "at 09:00 on Monday through Friday (Europe/Berlin)"."""
        return f"{self.text.in_words()} ({self.zone or 'UTC'})"

    def _ticks_of(self, day: int, after: int, until: int) -> list[int]:
        slots, begin = self._slots_of(day), (day - 1) * DAY
        within = slots[bisect_right(slots, after) : bisect_right(slots, until)]
        return [(begin + slot) * _TICKS_PER_SECOND for slot in within]

    def _chosen_from(self, day: int, direction: int) -> int | None:
        """The first day that is chosen from a day on, upwards or downwards."""
        day = max(day, FIRST_DAY) if direction > 0 else min(day, LAST_DAY)
        if not FIRST_DAY <= day <= LAST_DAY:
            return None
        begin = date.fromordinal(day)
        month = 12 * begin.year + begin.month - 1
        bits = self._days_of(month)
        bits = bits >> begin.day << begin.day if direction > 0 else bits & ((2 << begin.day) - 1)
        for _ in range(_LONGEST_PAUSE):
            if bits:
                number = (bits & -bits if direction > 0 else bits).bit_length() - 1
                return date(month // 12, month % 12 + 1, number).toordinal()
            month += direction
            if not MINYEAR <= month // 12 <= MAXYEAR:
                break
            bits = self._days_of(month)
        return None

    def _is_chosen(self, day: int) -> bool:
        local = date.fromordinal(day)
        return bool(self._days_of(12 * local.year + local.month - 1) >> local.day & 1)

    def _days_of(self, month: int) -> int:
        bits = self._months.get(month)
        if bits is None:
            bits = self._months[month] = self.text.days_of(month // 12, month % 12 + 1)
        return bits

    def _slots_of(self, day: int) -> Slots:
        if not FIRST_DAY <= day <= LAST_DAY:
            return ()
        offset = steady_offset(self.zone, day)
        if offset is None:
            return self._slots_of_change(day)
        days, shift = divmod(offset, DAY)
        key = (shift, self._is_chosen(day + days), shift > 0 and self._is_chosen(day + days + 1))
        slots = self._steady.get(key)
        if slots is None:
            today = (second - shift for second in self._times if second >= shift and key[1])
            tomorrow = (second + DAY - shift for second in self._times if second < shift and key[2])
            slots = self._steady[key] = (*today, *tomorrow)
        return slots

    def _slots_of_change(self, day: int) -> Slots:
        """The slots of a day on which the clocks change, or changed the day before."""
        slots = self._unsteady.get(day)
        if slots is None:
            found = self._going_with_the_clocks(day) if self.text.goes_with_the_clocks else self._fixed(day)
            slots = self._unsteady[day] = tuple(sorted(set(found)))
        return slots

    def _going_with_the_clocks(self, day: int) -> Iterator[int]:
        assert self.zone is not None
        for begin, end, offset in segments_of(self.zone, day):
            for days in range((begin + offset) // DAY, (end - 1 + offset) // DAY + 1):
                if self._is_chosen(day + days):
                    seconds = (days * DAY + second - offset for second in self._times)
                    yield from (second for second in seconds if begin <= second < end)

    def _fixed(self, day: int) -> Iterator[int]:
        begin = datetime.fromordinal(day)
        for local in range(day - 2, day + 3):
            midnight = datetime.fromordinal(local)
            for second in self._times if self._is_chosen(local) else ():
                moment = instant_of(midnight + timedelta(seconds=second), self.zone)
                if moment is not None and moment.date() == begin.date():
                    yield _parted(moment)[1]


def _parted(moment: datetime) -> tuple[int, int]:
    """The day of UTC and the second in it."""
    return moment.toordinal(), 3600 * moment.hour + 60 * moment.minute + moment.second


def _moment(day: int, second: int) -> datetime:
    return datetime.fromordinal(day) + timedelta(seconds=second)
