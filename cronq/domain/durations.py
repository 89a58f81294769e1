"""ISO 8601 durations, with calendar months kept apart from what has an exact length.

A month has no length of its own, so a duration is a pair: whole months, which are steps in the calendar,
and an exact rest. Weeks and days are exact in UTC, where every day has 24 hours; how many there are is kept
for whoever counts by the clocks of a zone.
"""

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from reprlib import repr as excerpt

import isodate

from cronq.domain.errors import BadSchedule

SHORTEST = timedelta(seconds=1)
#: The Gregorian calendar repeats itself after 400 years, which are 146,097 days.
MEAN_MONTH = timedelta(days=146_097) / (400 * 12)
#: The column `interval` counts from 1970 on MySQL, and its years end with 9999.
LONGEST = 8_000 * 12 * MEAN_MONTH

_UNITS = (
    ("week", timedelta(weeks=1)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)

# isodate reads more than is safe here: signs, `PT`, a last `T`, fractions of months, weeks beside days.
_NUMBER = r"\d{1,9}"
_DAYS = f"(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
_TIME = f"(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}(?:[.,]\\d{{1,6}})?S)?"
_CALENDAR_DAYS = re.compile(r"(\d+)([DW])", re.ASCII)
_DAYS_OF = {"D": 1, "W": 7}
_FORM = re.compile(rf"P(?:{_NUMBER}W|(?=[\dT]){_DAYS}(?:T(?=\d){_TIME})?)", re.ASCII)
_UNDERSTOOD = re.compile(f"P?{_DAYS}(?:T{_TIME})?", re.ASCII)

_FAULTS = [
    (re.compile(pattern, re.ASCII), sentence)
    for pattern, sentence in (
        (r"^[+-]|(?<=[PT])[+-]", "a duration has no sign, leave it out"),
        (r"(?<=P)\Z", "P needs a number and a unit after it, as in P1D"),
        (r"(?<=T)\Z", "T needs hours, minutes or seconds after it, as in PT1M"),
        (r"(?<=[.,])\d{7,}S", "a fraction of a second has at most six digits, as in PT1.000001S"),
        (r"\d+[.,]\d*[YMWDH]", "only seconds may have a fraction, so half an hour is PT30M"),
        (r"\d{10,}", "a number in a duration has at most nine digits"),
        (r"(?<=[YMD])\d+W|(?<=W)[\dT]", "weeks stand alone, as in P2W; beside other units write days"),
        (r"(?<=P)[^T]*[HS]", "hours, minutes and seconds come after a T, as in PT12H"),
    )
]
#: As other programs write a duration, and what that is in ISO 8601.
_ELSEWHERE = re.compile(
    r"(\d{1,9}) ?(s|m|h|d|w)(?:(?<=s)ec\w*|(?<=m)in\w*|(?<=h)our\w*|(?<=d)ay\w*|(?<=w)eek\w*)?", re.ASCII
)
_MEANT = {"s": "PT{}S", "m": "PT{}M", "h": "PT{}H", "d": "P{}D", "w": "P{}W"}
_ANYTHING_ELSE = (
    "write P, years, months and days, then T, hours, minutes and seconds, as in P1M, P2W, P1DT12H or PT30S"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """So many calendar months and, after them, an exact time; neither is negative."""

    months: int
    exact: timedelta
    #: How many days of the exact time were written as days or weeks, which a zone counts by its calendar.
    days: int = field(default=0, compare=False)

    @property
    def mean(self) -> timedelta:
        """The average length over the centuries, or the longest `timedelta` when that is too short for it."""
        try:
            return self.months * MEAN_MONTH + self.exact
        except OverflowError:
            return timedelta.max

    def before(self, end: datetime) -> datetime:
        """Where a step of this duration that leads to `end` begins; raises `OverflowError` before year 1.

        The exact part is taken off first, as it is added last.
        """
        return add_months(end - self.exact, -self.months)

    def in_words(self) -> str:
        """The duration in English, such as "90 seconds", "2 weeks" or "1 month plus 12 hours"."""
        parts = []
        if self.months:
            years, rest = divmod(self.months, 12)
            parts.append(_amount(self.months, "month") if rest else _amount(years, "year"))
        if self.exact:
            parts.append(_exact_in_words(self.exact))
        return " plus ".join(parts)

    def __str__(self) -> str:
        """The duration in ISO 8601; a whole number of years as years."""
        years, months = divmod(self.months, 12)
        text: str = isodate.duration_isoformat(isodate.Duration(years=years, months=months) + self.exact)
        return text


def parse_duration(text: str, position: int = 0) -> Duration:
    """Read an ISO 8601 duration, `PnYnMnDTnHnMnS` or `PnW`.

    Seconds may have a fraction of up to six digits, nothing else may. `position` is the place of `text` in
    the whole schedule. Raises `BadSchedule`.
    """
    if not _FORM.fullmatch(text):
        raise _fault(text, position)
    try:
        found = isodate.parse_duration(text, as_timedelta_if_possible=False)
    except OverflowError as error:
        raise _too_long(position) from error
    days = sum(int(count) * _DAYS_OF[unit] for count, unit in _CALENDAR_DAYS.findall(text.partition("T")[0]))
    duration = Duration(int(12 * found.years + found.months), found.tdelta, days)
    check_length(duration, position)
    return duration


def as_duration(text: str) -> str | None:
    """The ISO 8601 duration that is meant by a text such as `5 minutes`, or that it is; None: it is none."""
    if _FORM.fullmatch(text):
        return text
    elsewhere = _ELSEWHERE.fullmatch(text.lower())
    return _MEANT[elsewhere[2]].format(elsewhere[1]) if elsewhere else None


def parse_span(text: str) -> timedelta:
    """Read an ISO 8601 duration of an exact length: one without months and years. Raises `BadSchedule`."""
    duration = parse_duration(text)
    if duration.months:
        raise BadSchedule(f"{excerpt(text)} has no exact length: write days instead, as in P30D")
    return duration.exact


def check_length(duration: Duration, position: int = 0) -> None:
    """Refuse with `BadSchedule` what is negative, shorter than a second or longer than 8,000 years."""
    if duration.months < 0 or duration.exact < timedelta(0) or duration.mean < SHORTEST:
        raise BadSchedule("the shortest duration is one second, PT1S", position)
    if duration.mean > LONGEST:
        raise _too_long(position)


def add_months(moment: datetime, months: int) -> datetime:
    """The same day and time so many months later, or the last day of a month that is too short.

    Raises `OverflowError` outside the years 1 to 9999.
    """
    year, month = divmod(12 * moment.year + moment.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError("the years of a datetime are 1 to 9999")
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def _exact_in_words(length: timedelta) -> str:
    """The length in the largest unit that it is a whole number of, so that 90 seconds stay what they are."""
    for name, unit in _UNITS:
        if length % unit == timedelta(0):
            return _amount(length // unit, name)
    return f"{length.total_seconds():.6f}".rstrip("0") + " seconds"


def _amount(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _fault(text: str, position: int) -> BadSchedule:
    """The first thing that is wrong with a text that has not the form of a duration."""
    if _FORM.fullmatch(text.upper()):
        small = next(index for index, letter in enumerate(text) if letter.islower())
        words = "the letters of a duration are upper case, as in P1DT12H"
        return BadSchedule(f"{excerpt(text)} is not a duration: {words}", position + small)
    if meant := as_duration(text):
        return BadSchedule(f"{excerpt(text)} is not a duration of ISO 8601: write {meant}", position)
    for pattern, sentence in _FAULTS:
        if found := pattern.search(text):
            return BadSchedule(f"{excerpt(text)} is not a duration: {sentence}", position + found.start())
    understood = _UNDERSTOOD.match(text)
    offset = understood.end() if understood else 0
    return BadSchedule(f"{excerpt(text)} is not a duration: {_ANYTHING_ELSE}", position + offset)


def _too_long(position: int) -> BadSchedule:
    return BadSchedule("the longest duration is 8000 years, P8000Y", position)
