"""How many runs there were in each of the last hours, and what became of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cronq.database.standing_tables import hourly_runs
from cronq.database.tallies import HourlyCount, Span, count_runs, first_run
from cronq.domain.runs import Status
from cronq.domain.tallying import HOUR, latest_hours

#: So many runs are counted for a page; it takes 6 ms. More are taken from what results daemons keep up.
MOST_COUNTED = 20_000


@dataclass(frozen=True, slots=True)
class Hours:
    """The last 24 hours, the oldest first; None for an hour that nobody has counted yet."""

    hours: tuple[datetime, ...]
    counts: tuple[Mapping[Status, int] | None, ...]
    #: When the present hour was counted.
    counted_at: datetime

    def total(self, status: Status) -> int:
        """In all of these hours."""
        return sum(counts.get(status, 0) for counts in self.counts if counts)


def read_hours(connection: Connection, now: datetime) -> Hours:
    """The runs that were made in each of the last 24 hours."""
    hours = latest_hours(now)
    known = _stored(connection, hours[0])
    fresh = _count(connection, [hour for hour in hours if hour not in known or hour == hours[-1]], now)
    known |= {hour: HourlyCount(hour, counts, now) for hour, counts in fresh.items()}
    counts = tuple(known[hour].counts if hour in known else None for hour in hours)
    present = known.get(hours[-1])
    return Hours(hours, counts, present.counted_at if present else now)


def _stored(connection: Connection, since: datetime) -> dict[datetime, HourlyCount]:
    query = select(hourly_runs).where(hourly_runs.c.hour >= since)
    return {
        row.hour: HourlyCount(
            row.hour, {Status(name): count for name, count in json.loads(row.counts).items()}, row.counted_at
        )
        for row in connection.execute(query)
    }


def _count(
    connection: Connection, hours: list[datetime], now: datetime
) -> dict[datetime, Mapping[Status, int]]:
    """Those of the hours that have few runs, the latest first, as long as these are few together."""
    found: dict[datetime, Mapping[Status, int]] = {}
    room = MOST_COUNTED
    end: tuple[datetime, int] | None = None
    for hour in reversed(hours):
        last = end[1] if end and end[0] == hour + HOUR else first_run(connection, hour + HOUR, now)
        span = Span(first_run(connection, hour, now), last)
        end = hour, span.first
        if span.most <= room:
            room -= span.most
            found[hour] = count_runs(connection, span)
    return found
