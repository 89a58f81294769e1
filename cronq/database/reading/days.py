"""What became of a job day by day, for as long as a page looks back."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, select

from cronq.database.bulk import chunks
from cronq.database.counting import counted_until
from cronq.database.day_rows import SEVERAL, Key, SeveralSlots, Sums, by_day, made_up_for, spread, sums_of
from cronq.database.day_tables import job_days, unsettled_runs
from cronq.database.tables import runs
from cronq.domain.days import Counts, Tally
from cronq.domain.runs import Status

#: Runs that nobody has counted yet, and that are gone over for a page: more would take too long.
MOST_UNCOUNTED = 3000


@dataclass(frozen=True, slots=True)
class JobDays:
    """A time of a job."""

    since: date
    #: The day on which it was read.
    until: date
    #: The days on which there was something, in order.
    counts: dict[date, Counts]
    #: Whether there are more runs in that time than have been counted yet.
    behind: bool

    def latest_with(self, status: Status, before: date) -> date | None:
        """The latest day before that one on which something came to a status."""
        days = (day for day in reversed(self.counts) if day < before and status in self.counts[day])
        return next(days, None)


def read_days(connection: Connection, job_id: int, since: date, now: datetime) -> JobDays:
    """The days of a job from that one on: those that are counted, and what has come since."""
    tally = Tally()
    counted = select(job_days.c.day, job_days.c.status, job_days.c.runs)
    for day, status, count in connection.execute(counted.where(job_days.c.job_id == job_id)):
        tally.add(day, Status(status), count)
    ahead, behind = _not_counted(connection, job_id)
    unsettled = _unsettled(connection, job_id)
    for key, count in [*ahead.items(), *unsettled.items()]:
        tally.add(key.day, key.status, count)
    counts = {day: found for day, found in tally.counts().items() if day >= since}
    return JobDays(since, now.date(), counts, behind)


def _not_counted(connection: Connection, job_id: int) -> tuple[Sums, bool]:
    """The latest runs, as far as nobody has been there yet; and whether there are more than are read here."""
    mine = runs.c.job_id == job_id
    ahead = select(runs.c.id).where(mine, runs.c.id > counted_until(connection)).order_by(runs.c.id.desc())
    ids = list(connection.scalars(ahead.limit(MOST_UNCOUNTED + 1)))
    if not ids:
        return {}, False
    which = mine & (runs.c.id >= ids[:MOST_UNCOUNTED][-1])
    found = _sums(connection, which)
    found.subtract(sums_of(connection, made_up_for(which)))
    return found, len(ids) > MOST_UNCOUNTED


def _unsettled(connection: Connection, job_id: int) -> Sums:
    ids = connection.scalars(select(unsettled_runs.c.id).where(unsettled_runs.c.job_id == job_id)).all()
    found: Counter[Key] = Counter()
    for some in chunks(ids):
        found.update(_sums(connection, runs.c.id.in_(some)))
    return found


def _sums(connection: Connection, which: ColumnElement[bool]) -> Counter[Key]:
    several = [SeveralSlots(*row) for row in connection.execute(SEVERAL.where(which, ~runs.c.superseded))]
    found = Counter(sums_of(connection, by_day(which)))
    found.update(spread(connection, several))
    return found
