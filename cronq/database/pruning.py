"""Deleting old events, a few at a time, and never those of a run that has not ended."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select

from cronq.database.tables import events, jobs, runs
from cronq.domain.messages import Report
from cronq.domain.runs import OPEN

#: Values in one statement; SQLite takes 32,766.
MOST_VALUES = 10_000
_ENDS = [report.value for report in Report if report is not Report.STARTING]


def delete_range(connection: Connection, first: int, last: int) -> int:
    """Delete the events with `first` <= id <= `last`; gives how many there were."""
    return _delete(connection, events.c.id.between(first, last), limit=None)


def delete_older(connection: Connection, job_id: int, oldest_kept: int, limit: int) -> int:
    """Delete at most `limit` events of a job that are older than the one with that id."""
    return _delete(connection, and_(events.c.job_id == job_id, events.c.id < oldest_kept), limit)


def delete_inherited(connection: Connection, before: datetime, first: int, last: int) -> int:
    """Delete those of the events with `first` <= id <= `last` that 0.27 wrote before an instant."""
    old = and_(events.c.id.between(first, last), events.c.once.is_(None), events.c.datetime < before)
    return _delete(connection, old, limit=None)


def job_ids(connection: Connection) -> list[int]:
    """All jobs, removed ones too."""
    return list(connection.scalars(select(jobs.c.id).order_by(jobs.c.id)))


def oldest_kept(connection: Connection, job_id: int, keep: int) -> int | None:
    """The id of a job's event that is the last to be kept; None when it has no more than that."""
    mine = select(events.c.id).where(events.c.job_id == job_id).order_by(events.c.id.desc())
    return connection.scalar(mine.offset(keep - 1).limit(1))


def ids_between(connection: Connection, first: int, last: int) -> range:
    """From the first id that there is to the last, within `first` <= id <= `last`; others may be missing."""
    ids = select(events.c.id).where(events.c.id.between(first, last)).limit(1)
    least = connection.scalar(ids.order_by(events.c.id))
    most = connection.scalar(ids.order_by(events.c.id.desc()))
    return range(0) if least is None or most is None else range(least, most + 1)


def chunks(ids: range, size: int) -> Iterator[tuple[int, int]]:
    """The first and the last id of pieces of at most `size` ids."""
    for start in ids[::size]:
        yield start, min(ids[-1], start + size - 1)


def _delete(connection: Connection, which: ColumnElement[bool], limit: int | None) -> int:
    # First looked up, then deleted by key: MySQL lets no DELETE look at its own table in a subquery.
    found = select(events.c.id).where(which, _ended()).order_by(events.c.id).limit(limit)
    ids = list(connection.scalars(found))
    for start in range(0, len(ids), MOST_VALUES):
        connection.execute(delete(events).where(events.c.id.in_(ids[start : start + MOST_VALUES])))
    return len(ids)


def _ended() -> ColumnElement[bool]:
    """The run is over by the ledger or, for those of 0.27 that it does not know, by an event of its end."""
    other = events.alias("other")
    run = select(runs.c.id).where(runs.c.run_id == events.c.run_id)
    still_open = run.where(runs.c.status.in_([status.value for status in OPEN]))
    end = select(other.c.id).where(other.c.run_id == events.c.run_id, other.c.type.in_(_ENDS))
    return or_(and_(run.exists(), ~still_open.exists()), and_(~run.exists(), end.exists()))
