"""How many runs there were in each hour: which hours are to be counted (again), and what stays of a count."""

from collections.abc import Mapping
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
#: So many hours are kept up, the present one included.
HOURS = 24
#: The present hour is counted so often.
OFTEN = timedelta(seconds=50)
#: An hour of the past is counted again when its count is older than this part of its own age: runs that were
#: made in it may end late, and the longer ago it is, the fewer do.
PART_OF_AGE = 20


def hour_of(moment: datetime) -> datetime:
    """The hour in which it lies."""
    return moment.replace(minute=0, second=0, microsecond=0)


def latest_hours(now: datetime) -> tuple[datetime, ...]:
    """The last 24 hours, the oldest first; the present one is the last."""
    present = hour_of(now)
    return tuple(present - HOUR * back for back in range(HOURS - 1, -1, -1))


def hours_to_count(counted_at: Mapping[datetime, datetime], now: datetime) -> list[datetime]:
    """Those of the last hours whose count is missing or old, the latest first."""
    return [hour for hour in reversed(latest_hours(now)) if _is_old(hour, counted_at.get(hour), now)]


def _is_old(hour: datetime, counted_at: datetime | None, now: datetime) -> bool:
    if counted_at is None or counted_at > now:  # the database's clock has gone back
        return True
    age = max(timedelta(0), now - (hour + HOUR))
    return now - counted_at >= max(OFTEN, age / PART_OF_AGE)
