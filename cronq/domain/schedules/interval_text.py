"""Reading ISO 8601 repeating intervals, and the two short forms of them: `every` and `at`."""

import re
from datetime import datetime, timedelta
from reprlib import repr as excerpt
from zoneinfo import ZoneInfo

from cronq.domain.durations import Duration, add_months, check_length, parse_duration
from cronq.domain.errors import BadSchedule
from cronq.domain.instants import Clock, Instant, parse_instant
from cronq.domain.schedules.intervals import RepeatingInterval
from cronq.domain.zones import instant_of, wall_time

EXAMPLE = "R/2013-05-29T00:00:00/PT1M"
#: Where `every` begins to count, in the job's zone: a Monday that began a month, a year and a millennium.
ANCHOR = datetime(2001, 1, 1)
_REPETITIONS = re.compile(r"R(\d{0,9})", re.ASCII)
_UTC = timedelta(0)
_ONE_DAY = Duration(0, timedelta(days=1), 1)


def parse_interval(text: str, zone: ZoneInfo | None) -> RepeatingInterval:
    """Read `R[n]/start/duration`, `R[n]/start/end` or `R[n]/duration/end`.

    What names no offset is told by the clocks of the zone, save that an end takes over the offset of its
    start, as the standard says. Raises `BadSchedule`.
    """
    head, *parts = text.split("/")
    repetitions = _parse_repetitions(head)
    if text.count("/") != EXAMPLE.count("/"):
        place = len("/".join([head, *parts[:2]]))
        raise BadSchedule(f"a schedule has three parts with a slash between them, as in {EXAMPLE}", place)
    start, duration = _parse_parts(parts[0], parts[1], len(head) + 1, zone)
    return _repeating(start, duration, repetitions, len(head) + 1, zone)


def parse_every(text: str, position: int = 0, zone: ZoneInfo | None = None) -> RepeatingInterval:
    """Read a duration: it is repeated for ever, from the anchor on. Raises `BadSchedule`."""
    duration = parse_duration(text, position)
    return _repeating(_instant(ANCHOR, position, zone), duration, None, position, zone)


def parse_at(text: str, position: int, zone: ZoneInfo | None) -> RepeatingInterval:
    """Read the only instant of a schedule. Raises `BadSchedule`."""
    return _repeating(parse_instant(text, position, zone or _UTC), _ONE_DAY, 1, position, zone)


def _repeating(
    start: Instant, duration: Duration, repetitions: int | None, position: int, zone: ZoneInfo | None
) -> RepeatingInterval:
    months, days, moment = duration.months, duration.days, start.moment
    if zone is None or not (months or days):
        return RepeatingInterval(moment, months, duration.exact, repetitions)
    exact = duration.exact - timedelta(days=days)
    try:
        wall = wall_time(moment, zone)
    except OverflowError as error:
        outside = f"the clocks of {zone} would show a time outside the years 1 to 9999"
        raise BadSchedule(f"{outside} when the schedule begins", position) from error
    skipped = start.clock is zone and wall != start.wall
    return RepeatingInterval(moment, months, exact, repetitions, days, zone, start.wall if skipped else None)


def _instant(wall: datetime, position: int, zone: ZoneInfo | None) -> Instant:
    moment = instant_of(wall, zone)
    if moment is None:
        raise BadSchedule(f"the schedule would begin on {wall.date()}, which {zone} skipped", position)
    return Instant(moment, zone or _UTC, wall)


def _parse_repetitions(text: str) -> int | None:
    found = _REPETITIONS.fullmatch(text)
    if found is None:
        wrong = f"{excerpt(text)} does not say how often"
        raise BadSchedule(f"{wrong}: begin with R for ever, or with R1 to R999999999, as in {EXAMPLE}")
    if not found[1]:
        return None
    if int(found[1]) == 0:
        raise BadSchedule(f"{text} would never run: write R1 to run once, or R to run for ever", 1)
    return int(found[1])


def _parse_parts(first: str, second: str, position: int, zone: ZoneInfo | None) -> tuple[Instant, Duration]:
    """The start and the duration, from the two parts that follow the repetitions."""
    clock: Clock = zone or _UTC
    middle = position + len(first) + 1
    if _is_duration(first) and _is_duration(second):
        raise BadSchedule("a schedule has one duration: write a start before it or an end after it", middle)
    if _is_duration(second):
        start = parse_instant(first, position, clock, or_duration=True)
        return start, parse_duration(second, middle)
    if _is_duration(first):
        duration = parse_duration(first, position)
        end = parse_instant(second, middle, clock, or_duration=True).moment
        return _start_before(end, duration, position, zone), duration
    start = parse_instant(first, position, clock, or_duration=True)
    length = parse_instant(second, middle, start.clock, or_duration=True).moment - start.moment
    if length <= timedelta(0):
        raise BadSchedule("the end must be later than the start", middle)
    duration = Duration(0, length)
    check_length(duration, middle)
    return start, duration


def _is_duration(text: str) -> bool:
    return text.lstrip("+-").startswith(("P", "p"))


def _start_before(end: datetime, duration: Duration, position: int, zone: ZoneInfo | None) -> Instant:
    """The exact part is taken off first, as it is added last."""
    calendar_days = timedelta(days=duration.days)
    try:
        wall = wall_time(end - (duration.exact - calendar_days), zone)
        return _instant(add_months(wall - calendar_days, -duration.months), position, zone)
    except OverflowError as error:
        raise BadSchedule("the start, duration before end, would lie before the year 1", position) from error
