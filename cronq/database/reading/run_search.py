"""Runs of all jobs or of one, by status and time, the latest first, as programs ask for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection

from cronq.database.reading.cursors import LATEST_INHERITED, Cursor, Place, Source
from cronq.database.reading.inherited import Inheritance
from cronq.database.reading.loose_ends import ids_of_runs
from cronq.database.reading.run_windows import Part, find_ids
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
    of_job = search.job_id is not None
    ids, rest = find_ids(
        connection, _parts(connection, search), search.statuses if of_job else (), Place(cursor), limit
    )
    found = tuple(run for run in _with_ids(connection, ids) if _is_recent(run, search.since))
    if rest is not None:
        return RunPage(found, Cursor(Source.LEDGER, rest))
    inherited = _inherited(connection, search, LATEST_INHERITED.below, limit - len(found))
    return RunPage((*found, *inherited.runs), inherited.older)


def _parts(connection: Connection, search: RunSearch) -> list[Part]:
    """The runs of the job, or else those of each status, or all of them."""
    recent: Part = ()
    if search.since is not None:
        recent = (runs.c.id >= ids_of_runs(connection, search.since, _SLACK).start,)
    if search.job_id is not None:
        return [(runs.c.job_id == search.job_id, *recent)]
    return [(*_of_status(status), *recent) for status in search.statuses] or [recent]


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
