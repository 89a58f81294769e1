"""Counting what the runs of each job came to, day by day, behind the back of all that makes runs.

A mark goes over the ledger by id. What is final by then is added up; what may still change is noted, and
looked at again until it is final. So each run counts once, nobody waits, and to make a run costs no more.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Insert, Select, delete, func, select, update
from sqlalchemy.dialects import mysql, sqlite

from cronq.database.bulk import CHUNK, insert_new, update_rows
from cronq.database.day_rows import SEVERAL, SeveralSlots, Sums, by_day, made_up_for, spread, sums_of
from cronq.database.day_tables import job_days, unsettled_runs
from cronq.database.gateway import now as database_now
from cronq.database.kept import keep_first
from cronq.database.tables import runs, settings
from cronq.domain.runs import OPEN, Status

#: Runs in one transaction.
WINDOW = 5000
#: A run that was made so long ago is committed, and so are all with smaller ids.
COMMITTED = timedelta(minutes=5)
#: For so long a run that was given up for lost may turn out to have ended well.
CORRECTED = timedelta(days=7)
#: For so long a row for several slots may grow, and slots in it be run after all.
FILLED = timedelta(days=30)
#: For so long counts are kept, whatever is pruned.
KEPT = timedelta(days=400)
_SOON, _LATER = timedelta(minutes=10), timedelta(days=1)

MARK = "days_counted_until_run"
_MARK = settings.c.name == MARK
_NEWEST = select(func.max(runs.c.id))
_CHANGING = sorted([*(status.value for status in OPEN), Status.LOST.value])


def count_days(connection: Connection) -> bool:
    """Count the next runs of all jobs; gives whether there is more to be done at once."""
    mark = _locked_mark(connection)
    now = database_now(connection)
    until = _last_committed(connection, mark, now - COMMITTED)
    if until > mark:
        _count(connection, mark, until, now)
    connection.execute(update(settings).where(_MARK).values(value=str(until)))
    looked_at = _look_again(connection, now)
    forgotten = _forget(connection, now)
    return until - mark >= WINDOW or max(looked_at, forgotten) == CHUNK


def counted_until(connection: Connection) -> int:
    """The id up to which runs are counted, or noted as unsettled."""
    text: str | None = connection.scalar(select(settings.c.value).where(_MARK))
    return int(text or 0)


def _locked_mark(connection: Connection) -> int:
    """Of several daemons that count, one does at a time."""
    mine = select(settings.c.value).where(_MARK).with_for_update()
    if connection.scalar(mine) is None:
        keep_first(connection, MARK, "0")
    mark = int(connection.execute(mine).scalar_one())
    # On SQLite an id comes again, once the runs from there on have been pruned.
    return min(mark, connection.scalar(_NEWEST) or 0)


def _last_committed(connection: Connection, mark: int, before: datetime) -> int:
    """The last id of the next runs that were made before that instant."""
    ahead = select(runs.c.id).where(runs.c.id > mark).order_by(runs.c.id)
    last = connection.scalar(ahead.offset(WINDOW - 1).limit(1)) or connection.scalar(_NEWEST) or mark

    def made_later(run_id: int) -> bool:
        made = select(runs.c.queued_at).where(runs.c.id >= run_id).order_by(runs.c.id).limit(1)
        return (connection.scalar(made) or datetime.min) > before

    return mark + bisect_left(range(mark + 1, last + 1), True, key=made_later)


def _count(connection: Connection, mark: int, until: int, now: datetime) -> None:
    ahead = runs.c.id.between(mark + 1, until)
    changing = runs.c.status.in_(_CHANGING)
    connection.execute(_adding(connection, by_day(ahead & ~changing)))
    _add(connection, {key: -count for key, count in sums_of(connection, made_up_for(ahead)).items()})
    unsettled = select(runs.c.id, runs.c.job_id).where(
        ahead, ~runs.c.superseded, changing | (runs.c.slots > 1)
    )
    found = connection.execute(unsettled).all()
    rows = [{"id": row.id, "job_id": row.job_id, "look_at": now} for row in found]
    insert_new(connection, unsettled_runs, rows)


def _look_again(connection: Connection, now: datetime) -> int:
    """Count what has become final since it was noted; gives how many rows were looked at."""
    due = select(unsettled_runs.c.id).where(unsettled_runs.c.look_at <= now)
    ids = list(connection.scalars(due.order_by(unsettled_runs.c.look_at, unsettled_runs.c.id).limit(CHUNK)))
    columns = (
        runs.c.id, runs.c.job_id, runs.c.status, runs.c.slots, runs.c.last_slot, runs.c.recorded_at,
        runs.c.superseded,
    )  # fmt: skip
    found = connection.execute(select(*columns).where(runs.c.id.in_(ids))).all() if ids else []
    again = {row.id: moment for row in found if (moment := _next_look(row, now)) is not None}
    done = [run_id for run_id in ids if run_id not in again]
    later = [
        {"id": row.id, "job_id": row.job_id, "look_at": again[row.id]} for row in found if row.id in again
    ]
    if done:
        _add(connection, _settled(connection, done))
        connection.execute(delete(unsettled_runs).where(unsettled_runs.c.id.in_(done)))
    update_rows(connection, unsettled_runs, later)
    return len(ids)


def _next_look(row: Any, now: datetime) -> datetime | None:
    """When to look at a run again; None: it is settled."""
    status = Status(row.status)
    if row.superseded:
        return None
    if not status.final:
        return now + _SOON
    if row.slots > 1:
        filled = (row.last_slot or now) + FILLED
        return filled if filled > now else None
    if status is Status.LOST and row.recorded_at is not None and row.recorded_at > now - CORRECTED:
        return now + _LATER
    return None


def _settled(connection: Connection, ids: Sequence[int]) -> Sums:
    """What these runs, of which some may be pruned, came to."""
    mine = runs.c.id.in_(ids)
    several = [SeveralSlots(*row) for row in connection.execute(SEVERAL.where(mine, ~runs.c.superseded))]
    found = Counter(sums_of(connection, by_day(mine)))
    found.update(spread(connection, several))
    return found


def _forget(connection: Connection, now: datetime) -> int:
    """Delete counts that are too old for any page; gives how many were found."""
    old = job_days.c.day < (now - KEPT).date()
    job_ids = list(connection.scalars(select(job_days.c.job_id).where(old).limit(CHUNK)))
    if job_ids:
        connection.execute(delete(job_days).where(old, job_days.c.job_id.in_(sorted(set(job_ids)))))
    return len(job_ids)


def _add(connection: Connection, sums: Sums) -> None:
    rows = [
        {"job_id": key.job_id, "day": key.day, "status": key.status.value, "runs": count}
        for key, count in sorted(sums.items())
        if count
    ]
    if rows:
        connection.execute(_adding(connection, None), rows)


def _adding(connection: Connection, found: Select[Any] | None) -> Insert:
    """Adds what a query, or else each row of values, says to what is there."""
    key = ["job_id", "day", "status"]
    if connection.dialect.name == "sqlite":
        lite = sqlite.insert(job_days)
        lite = lite if found is None else lite.from_select([*key, "runs"], found)
        return lite.on_conflict_do_update(key, set_={"runs": job_days.c.runs + lite.excluded.runs})
    statement = mysql.insert(job_days)
    statement = statement if found is None else statement.from_select([*key, "runs"], found)
    return statement.on_duplicate_key_update(runs=job_days.c.runs + statement.inserted.runs)
