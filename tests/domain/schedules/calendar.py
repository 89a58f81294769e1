"""What any person with a clock and a calendar finds: slots that owe nothing to the code under test."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = sorted(
    name
    for name in available_timezones()
    if name not in {"Factory", "localtime"} and not name.startswith(("posix", "right"))
)
FIRST, LAST = datetime(1990, 1, 1), datetime(2040, 1, 1)

#: Whether a wall time is one that an expression names; its seconds are nought.
Match = Callable[[datetime], bool]


def wall(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks of the zone show at a moment of UTC."""
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, fold=0)


@cache
def changes(name: str) -> tuple[datetime, ...]:
    """Every moment from 1990 to 2040 at which the clocks of the zone are put forward or back."""
    zone = ZoneInfo(name)
    days = [FIRST + 15 * n * DAY for n in range((LAST - FIRST) // (15 * DAY))]
    ahead = [wall(day, zone) - day for day in days]
    found = []
    for before, after, old, new in zip(days, days[1:], ahead, ahead[1:], strict=False):
        begin, end = before, after
        while old != new and end - begin > timedelta(seconds=1):
            middle = begin + (end - begin) // timedelta(seconds=2) * timedelta(seconds=1)
            begin, end = (middle, end) if wall(middle, zone) - middle == old else (begin, middle)
        found += [end] if old != new else []
    return tuple(found)


def watched(match: Match, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """The moments with `after` < moment <= `until` at which the clocks show what is asked for.

    Somebody looks at the clock each minute.
    """
    minutes = ((until - after) // MINUTE) + 1
    looks = (after.replace(second=0, microsecond=0) + n * MINUTE for n in range(minutes + 1))
    return [look for look in looks if after < look <= until and match(wall(look, zone))]


def punctual(match: Match, zone: ZoneInfo, after: datetime, until: datetime) -> list[datetime]:
    """The same for times of the day that are to come once a day, whatever the clocks do.

    What they show twice counts the first time, and what they skip right after, if there is such a day at all.
    """
    begin = after.replace(second=0, microsecond=0) - 2 * DAY
    looks = [begin + n * MINUTE for n in range((until - begin) // MINUTE + 1)]
    shown = [wall(look, zone) for look in looks]
    days = {each.date() for each in shown}
    found = set()
    seen: set[datetime] = set()
    for look, before, now in zip(looks[1:], shown, shown[1:], strict=False):
        seen.add(before)
        for minute in range(1, (now - before) // MINUTE + 1):
            wanted = before + minute * MINUTE
            if wanted not in seen and wanted.date() in days and match(wanted):
                found.add(look)
    return sorted(look for look in found if after < look <= until)


def days_of(zone: ZoneInfo, first: date, last: date) -> Iterator[date]:
    """The civil days of the zone from one to the other; those that it skipped are not among them."""
    for n in range((last - first).days + 1):
        day = first + n * DAY
        noon = datetime.combine(day, time(12), zone)
        if noon.astimezone(UTC).astimezone(zone).date() == day:
            yield day
