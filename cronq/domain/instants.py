"""The ISO 8601 dates and times that a schedule starts or ends with.

isodate converts them; what may be written, and what to write instead, is decided here.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from reprlib import repr as excerpt
from zoneinfo import ZoneInfo

import isodate

from cronq.domain.errors import BadSchedule
from cronq.domain.zones import instant_of

# isodate also takes forms with more than one meaning (201305, 20) or with none (month 00).
_MONTH = "(?:0[1-9]|1[0-2])"
_DATE = re.compile(rf"\d{{4}}(?:-{_MONTH}-\d\d|{_MONTH}\d\d|-?\d{{3}}|-W\d\d-[1-7]|W\d\d[1-7])", re.ASCII)
_FRACTION = r"(?:[.,]\d{1,6})?"
_OFFSET = r"(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?"
_TIME = re.compile(
    rf"\d\d(?::\d\d(?::\d\d{_FRACTION})?|\d\d(?:\d\d{_FRACTION})?)?{_OFFSET}",
    re.ASCII,
)
#: What looks like a date, whether there is such a day or not.
_LIKE_A_DATE = re.compile(r"\d{4}(?:-\d\d-\d\d|\d{4})", re.ASCII)
_WITHOUT_T = re.compile(r"[\dW-]{7,10}[ t]+\d", re.ASCII)
_EXAMPLE = "2013-05-29T06:30:00"
_UTC = timedelta(0)
#: How far the clock that tells a time is ahead of UTC; or the zone in which it hangs.
Clock = timedelta | ZoneInfo


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment, and the clock that named it."""

    #: Naive, UTC.
    moment: datetime
    clock: Clock
    #: What it says, even if it never shows that, as it is put forward then.
    wall: datetime


def parse_instant(text: str, position: int = 0, clock: Clock = _UTC, *, or_duration: bool = False) -> Instant:
    """Read a date, with or without a time, in the basic or the extended format of ISO 8601.

    The date is complete: a calendar date, a week date (`2013-W22-3`) or an ordinal date (`2013-149`). The
    time may leave out its seconds, or minutes and seconds; 24:00 is the end of the day. A text that names no
    offset of its own is told by the clock given: what a zone shows twice is the first of the two, and what it
    skips is the moment after. `position` is the place of `text` in the whole schedule; `or_duration`: a
    duration might stand there as well. Raises `BadSchedule`.
    """
    date_text, _, time_text = text.partition("T")
    if not _DATE.fullmatch(date_text):
        raise _no_date(text, date_text, position, "nor a duration, as in PT1M" if or_duration else "")
    day = _parse_date(date_text, position)
    if date_text == text:
        told, days = time(), 0
    else:
        told, days = _parse_time(time_text, position + len(date_text) + 1)
    offset = told.utcoffset()
    clock = clock if offset is None else offset
    try:
        wall = datetime.combine(day, told.replace(tzinfo=None)) + timedelta(days=days)
        moment = wall - clock if isinstance(clock, timedelta) else instant_of(wall, clock)
    except OverflowError as error:
        raise BadSchedule(f"{excerpt(text)} lies outside the years 1 to 9999 of UTC", position) from error
    if moment is None:
        raise BadSchedule(f"{excerpt(text)} never was in {clock}, which skipped that day", position)
    return Instant(moment, clock, wall)


def _no_date(text: str, date_text: str, position: int, nor: str) -> BadSchedule:
    """What is wrong with a text whose part before the time has not the form of a date."""
    if _LIKE_A_DATE.fullmatch(date_text):
        return _no_such_day(date_text, position)
    if _WITHOUT_T.match(date_text):
        return BadSchedule(f"{excerpt(text)} wants a T between date and time, as in {_EXAMPLE}", position)
    wrong = f"neither a full date, as in {_EXAMPLE}, {nor}" if nor else f"not a full date, as in {_EXAMPLE}"
    return BadSchedule(f"{excerpt(text)} is {wrong}", position)


def _parse_date(text: str, position: int) -> date:
    try:
        day: date = isodate.parse_date(text)
    except (ValueError, OverflowError) as error:
        raise _no_such_day(text, position) from error
    # isodate lets the days and weeks that a year does not have run over into its neighbours.
    if int(text[:4]) != (day.isocalendar().year if "W" in text else day.year):
        raise _no_such_day(text, position)
    return day


def _parse_time(text: str, position: int) -> tuple[time, int]:
    """The time of day, and the days to add: one for 24:00, which Python does not know."""
    if not _TIME.fullmatch(text):
        raise BadSchedule(
            f"{excerpt(text)} is not a time: write 06:30 or 06:30:00.25, then Z, +02:00 or nothing", position
        )
    end_of_day = text.startswith("24")
    try:
        clock: time = isodate.parse_time("00" + text[2:] if end_of_day else text)
    except ValueError as error:
        raise BadSchedule(
            f"{excerpt(text)} is not a time of day: the last one is 23:59:59.999999", position
        ) from error
    if end_of_day and clock.replace(tzinfo=None) != time():
        raise BadSchedule(
            f"{excerpt(text)} is past 24:00, where a day ends: write a time of the next day", position
        )
    return clock, int(end_of_day)


def _no_such_day(text: str, position: int) -> BadSchedule:
    return BadSchedule(f"{excerpt(text)} is not in the calendar: write a day that exists", position)
