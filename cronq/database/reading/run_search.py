"""Runs by job, status and time, the latest first, read off the ends of indexes however many there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, union_all

from cronq.database.reading.cursors import LATEST_INHERITED, Cursor, Source
from cronq.database.reading.inherited import Inheritance
from cronq.database.reading.loose_ends import ids_of_runs
from cronq.database.reading.runs import (
    EventRecord,
    RunPage,
    RunRecord,
    find_events,
    ledger_records,
    select_runs,
)
from cronq.database.tables import runs
from cronq.domain.runs import Status

#: How many runs of a job one page looks through for those of a status, as no index knows both.
WINDOW = 5000
#: By how much a row may have been written later than one with a smaller id.
_SLACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RunSearch:
    """Which runs are wanted; what is None, or empty, excludes none."""

    job_id: int | None = None
    statuses: tuple[Status, ...] = ()
    #: Those that were recorded then or later.
    since: datetime | None = None


def read_runs(
    connection: Connection, search: RunSearch, cursor: Cursor, limit: int
) -> tuple[RunPage, Mapping[str, tuple[EventRecord, ...]]]:
    """A page of runs as `search_runs` finds it, and their events by run id."""
    page = search_runs(connection, search, cursor, limit)
    return page, find_events(connection, [run.run_id for run in page.runs])


def search_runs(connection: Connection, search: RunSearch, cursor: Cursor, limit: int) -> RunPage:
    """At most `limit` runs from that place in the list on; there may be more when a page has fewer, or none.

    Runs of which only 0.27 tells are found by their job, behind all others.
    """
    if cursor.source is Source.EVENTS:
        return _inherited(connection, search, cursor.below, limit)
    if search.job_id is not None and search.statuses:
        return _through_window(connection, search, cursor.below, limit)
    chosen = list(connection.scalars(_ids(connection, search, cursor.below, limit + 1)))
    found = [run for run in _with_ids(connection, chosen) if _is_recent(run, search.since)]
    return _page(connection, search, found, limit)


def _through_window(connection: Connection, search: RunSearch, below: int, limit: int) -> RunPage:
    """The same by job and status: so many of the job are looked through, which has its end somewhere."""
    window = _ids(connection, search, below, WINDOW).subquery()
    wanted = runs.c.status.in_([each.value for each in search.statuses])
    query = select_runs().join(window, window.c.id == runs.c.id).where(wanted)
    latest = ledger_records(connection, query.order_by(runs.c.id.desc()).limit(limit + 1))
    found = [run for run in latest if _is_recent(run, search.since)]
    count, last = connection.execute(select(func.count(), func.min(window.c.id))).one()
    if len(latest) <= limit and count == WINDOW:
        return RunPage(tuple(found), Cursor(Source.LEDGER, last))
    return _page(connection, search, found, limit)


def _page(connection: Connection, search: RunSearch, found: Sequence[RunRecord], limit: int) -> RunPage:
    """Some of these, of which there may be one too many; at their end come those of 0.27."""
    if len(found) > limit:
        return RunPage(tuple(found[:limit]), Cursor(Source.LEDGER, found[limit - 1].id or 0))
    rest = _inherited(connection, search, LATEST_INHERITED.below, limit - len(found))
    return RunPage((*found, *rest.runs), rest.older)


def _ids(connection: Connection, search: RunSearch, below: int, count: int) -> Select[Any]:
    """Selects the latest ids of the job, or else with one of the statuses, or of all runs."""
    lowest = 0 if search.since is None else ids_of_runs(connection, search.since, _SLACK).start
    between = runs.c.id >= lowest, runs.c.id < below
    if search.job_id is not None:
        conditions = [[runs.c.job_id == search.job_id, *between]]
    elif search.statuses:
        conditions = [[*_of_status(status), *between] for status in search.statuses]
    else:
        conditions = [list(between)]
    latest = [select(runs.c.id).where(*each).order_by(runs.c.id.desc()).limit(count) for each in conditions]
    if len(latest) == 1:
        return latest[0]
    ends = [each.subquery() for each in latest]
    found = union_all(*(select(end.c.id) for end in ends)).subquery()
    return select(found.c.id).order_by(found.c.id.desc()).limit(count)


def _of_status(status: Status) -> tuple[ColumnElement[bool], ...]:
    # What is not to be published stands in the index over (status, publish_after, id) by id.
    known = runs.c.status == status.value
    return (known,) if status is Status.QUEUED else (known, runs.c.publish_after.is_(None))


def _with_ids(connection: Connection, ids: Sequence[int]) -> list[RunRecord]:
    query = select_runs().where(runs.c.id.in_(ids)).order_by(runs.c.id.desc())
    return ledger_records(connection, query) if ids else []


def _is_recent(run: RunRecord, since: datetime | None) -> bool:
    return since is None or (run.queued_at is not None and run.queued_at >= since)


def _inherited(connection: Connection, search: RunSearch, below: int, limit: int) -> RunPage:
    if search.job_id is None:
        return RunPage(())
    page = Inheritance(connection).runs(search.job_id, below, limit)
    since = search.since or datetime.min
    wanted = tuple(
        run
        for run in page.runs
        if (not search.statuses or run.status in search.statuses) and (run.started_at or since) >= since
    )
    return RunPage(wanted, page.older)
