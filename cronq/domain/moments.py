"""Moments as people name them: by the calendar, or as so long ago."""

from datetime import datetime

from cronq.domain.durations import add_months, parse_duration
from cronq.domain.errors import BadSchedule
from cronq.domain.instants import parse_instant


def parse_moment(text: str, now: datetime) -> datetime:
    """Read a date, with or without a time, or a duration, which means that long before `now`.

    A space may stand where ISO 8601 has a T. Without an offset it is UTC. Raises `BadSchedule`.
    """
    if not _is_duration(text):
        return parse_instant(text.strip().replace(" ", "T", 1), or_duration=True).moment
    try:
        return parse_duration(text).before(now)
    except OverflowError as error:
        raise BadSchedule(f"{text} ago was before the year 1") from error


def parse_moment_ahead(text: str, now: datetime) -> datetime:
    """Read a moment as `parse_moment` does, but a duration means that long after `now`."""
    if not _is_duration(text):
        return parse_moment(text, now)
    duration = parse_duration(text)
    try:
        return add_months(now, duration.months) + duration.exact
    except OverflowError as error:
        raise BadSchedule(f"{text} from now is after the year 9999") from error


def _is_duration(text: str) -> bool:
    """Whether it is meant for one; a sign before it is wrong, and said to be by whoever reads durations."""
    return text.lstrip("+-").startswith("P")
