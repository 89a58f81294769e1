"""The clocks of the IANA time zones, and the days on which they change.

A moment is naive UTC. A wall time is naive, too, and is what the clocks of a zone show. No zone means UTC.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from cronq.domain.errors import BadSchedule

DAY = 86_400  # seconds
_SECOND = timedelta(seconds=1)
_SHOWN = 64  # characters
_UTC_NAMES = {"UTC", "Etc/UTC"}
#: They mean another zone on each machine, or none, or count leap seconds.
_NO_ZONES = ("Factory", "localtime", "posixrules", "posix/", "right/")
_ACROSS_THE_DATE_LINE = timedelta(hours=20)
#: So far from the ends of the calendar that no clock leaves it; as of `date.toordinal`.
FIRST_DAY, LAST_DAY = date(1, 1, 3).toordinal(), date(9999, 12, 29).toordinal()
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


@lru_cache(maxsize=1024)
def find_zone(name: str) -> ZoneInfo | None:
    """The zone of a name such as `Europe/Berlin`; None for UTC. Raises `BadSchedule`."""
    if name in _UTC_NAMES:
        return None
    try:
        if not name.startswith(_NO_ZONES):
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass  # there is no such file, or there cannot be one
    raise BadSchedule(f"{name[:_SHOWN]!r} is no time zone of the IANA database{_hint(name[:_SHOWN].lower())}")


def _hint(name: str) -> str:
    """What may have been meant by a name in lower case: an area and a city, or the city alone."""
    zones = [zone for zone in sorted(available_timezones()) if "/" in zone and not zone.startswith(_NO_ZONES)]
    known = {zone.lower().rpartition("/")[2]: zone for zone in zones} | {zone.lower(): zone for zone in zones}
    meant = get_close_matches(name, known, n=1, cutoff=0.8)
    return f", did you mean {known[meant[0]]}?" if meant else ": write one such as Europe/Berlin, or UTC"


def wall_time(moment: datetime, zone: ZoneInfo | None) -> datetime:
    """What the clocks show at a moment; raises `OverflowError` outside the years 1 to 9999."""
    if zone is None:
        return moment
    return zone.fromutc(moment.replace(tzinfo=zone)).replace(tzinfo=None, fold=0)


def instant_of(wall: datetime, zone: ZoneInfo | None) -> datetime | None:
    """The moment at which the clocks show a time: the first one, when they show it twice.

    What they skip is the moment right after that. None when they skip the whole day.
    """
    if zone is None:
        return wall
    # PEP 495: between the two offsets around a change, fold=0 names the one before it.
    aware = wall.replace(tzinfo=zone, fold=0)
    before, after = _offset(aware), _offset(aware.replace(fold=1))
    if before >= after:
        return wall - before
    change = _change_between(zone, wall - after, wall - before)
    skipped_from, skipped_until = change + before, change + after
    midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
    if skipped_from <= midnight and midnight + timedelta(days=1) <= skipped_until:
        return None
    return change


@lru_cache(maxsize=1 << 16)
def steady_offset(zone: ZoneInfo | None, day: int) -> int | None:
    """How many seconds the clocks are ahead on a day of UTC; None when they change on it or the day before.

    (What they show twice after a change may last until the next day.) `day` is as of `date.toordinal`.
    """
    if zone is None:
        return 0
    offset = _offset_at_begin(zone, day)
    around = _offset_at_begin(zone, day - 1), _offset_at_begin(zone, day + 1)
    return offset if around == (offset, offset) else None


@dataclass(frozen=True, slots=True)
class Change:
    """The clocks of a zone are put forward or back."""

    #: The first moment at which they show the new time.
    moment: datetime
    before: timedelta
    after: timedelta

    @property
    def wall_before(self) -> datetime:
        """What the clocks would have shown at the moment."""
        return self.moment + self.before

    @property
    def wall_after(self) -> datetime:
        """What they show at the moment."""
        return self.moment + self.after


def changes_between(zone: ZoneInfo | None, after: datetime, until: datetime) -> list[Change]:
    """The changes with `after` < change <= `until`, in order."""
    if zone is None:
        return []
    days = range(max(after.toordinal(), FIRST_DAY), min(until.toordinal(), LAST_DAY) + 1)
    changing = (day for day in days if _offset_at_begin(zone, day) != _offset_at_begin(zone, day + 1))
    changes = (change for day in changing for change in _changes_of_day(zone, datetime.fromordinal(day)))
    return [change for change in changes if after < change.moment <= until]


@lru_cache(maxsize=1024)
def skipped_days(zone: ZoneInfo) -> tuple[date, ...]:
    """The dates that the calendars of the zone never had, because it was moved across the date line."""
    months = [datetime(year, month, 1) for year in range(_FIRST_YEAR, _LAST_YEAR) for month in range(1, 13)]
    offsets = [_offset_of(zone, month) for month in months]
    return tuple(
        day
        for index, offset in enumerate(offsets[1:])
        if offset - offsets[index] >= _ACROSS_THE_DATE_LINE
        for change in changes_between(zone, months[index], months[index + 1])
        for day in _skipped_by(change)
    )


def segments_of(zone: ZoneInfo, day: int) -> list[tuple[int, int, int]]:
    """A day of UTC, cut where the clocks change: begin and end in seconds of the day, and the offset."""
    begin = datetime.fromordinal(day)
    changes = _changes_of_day(zone, begin)
    cuts = [0, *((change.moment - begin) // _SECOND for change in changes), DAY]
    offsets = [_offset_at_begin(zone, day), *(change.after // _SECOND for change in changes)]
    return [(cuts[n], cuts[n + 1], offset) for n, offset in enumerate(offsets)]


def _skipped_by(change: Change) -> list[date]:
    first = change.wall_before.date()
    if change.wall_before.time() != time():
        first += timedelta(days=1)
    end = change.wall_after.date()
    return [first + timedelta(days=n) for n in range((end - first).days)]


def _changes_of_day(zone: ZoneInfo, begin: datetime) -> list[Change]:
    hours = [begin + timedelta(hours=n) for n in range(25)]
    offsets = [_offset_of(zone, hour) for hour in hours]
    return [
        Change(_change_between(zone, hours[n], hours[n + 1]), offsets[n], offsets[n + 1])
        for n in range(24)
        if offsets[n] != offsets[n + 1]
    ]


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The one moment between the two, or `after`, at which the clocks change; they do so at full seconds."""
    before, offset = before.replace(microsecond=0), _offset_of(zone, before)
    seconds = range(math.ceil((after - before) / _SECOND))
    changed = bisect_left(seconds, True, key=lambda n: _offset_of(zone, before + n * _SECOND) != offset)
    return before + changed * _SECOND


@lru_cache(maxsize=1 << 16)
def _offset_at_begin(zone: ZoneInfo, day: int) -> int:
    return _offset_of(zone, datetime.fromordinal(day)) // _SECOND


def _offset_of(zone: ZoneInfo, moment: datetime) -> timedelta:
    return wall_time(moment, zone) - moment


def _offset(aware: datetime) -> timedelta:
    offset = aware.utcoffset()
    assert offset is not None
    return offset
