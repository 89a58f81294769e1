"""What 0.27 left: runs of which only events tell.

It kept no ledger, so a run is put together from its events. All of them lie before the first event of this
version, since the results daemon of 0.27 is stopped before ours is started.
"""

from bisect import bisect_left
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from cronq.database.reading.cursors import Cursor, Source
from cronq.database.reading.runs import (
    EventRecord,
    RunPage,
    RunRecord,
    event_records,
    find_events,
    in_ledger,
    select_events,
)
from cronq.database.tables import events
from cronq.domain.messages import Report
from cronq.domain.runs import Status

NEVER_ENDED = "cronq 0.27 recorded its start and never an end"
#: How many events one page of failures looks through: most runs succeed, and no index knows which did not.
WINDOW = 20_000

_OF_0_27 = events.c.once.is_(None)
_FAILURE = or_(
    and_(events.c.type == Report.FINISHED.value, events.c.return_code != 0),
    events.c.type == Report.FAILED.value,
)


def any_inherited(connection: Connection) -> bool:
    """Whether 0.27 left any event at all."""
    first = connection.execute(select(events.c.once).order_by(events.c.id).limit(1)).first()
    return first is not None and first.once is None


def inherited_runs(connection: Connection, job_id: int, below: int, limit: int) -> RunPage:
    """At most `limit` runs of a job, the latest first, of those whose last event has an id below that one."""
    # Two events for a run, as a rule; but 0.27 repeated runs when its broker restarted.
    enough = 3 * (limit + 1)
    mine = and_(events.c.job_id == job_id, _OF_0_27, events.c.id < below)
    query = select(events.c.id, events.c.run_id).where(mine).order_by(events.c.id.desc()).limit(enough)
    rows = connection.execute(query).all()
    found = [each for each in _reports(connection, [row.run_id for row in rows]) if each[-1].id < below]
    newest = _newest_event(connection, job_id) if found else None
    page = tuple(compose_run(each, newest) for each in found[:limit])
    if len(found) > limit:
        return RunPage(page, Cursor(Source.EVENTS, found[limit][-1].id + 1))
    return RunPage(page, Cursor(Source.EVENTS, rows[-1].id) if len(rows) == enough else None)


def inherited_run(connection: Connection, run_id: str) -> RunRecord | None:
    """The run of that id, if there are events of it and no row in the ledger."""
    found = _reports(connection, [run_id])
    return compose_run(found[0], _newest_event(connection, found[0][0].job_id)) if found else None


def inherited_failures(connection: Connection, below: int, limit: int) -> RunPage:
    """Failed runs of all jobs, the latest first; there may be older ones also when a page has few or none."""
    last = _last_event(connection, below)
    if last is None:
        return RunPage(())
    window = and_(events.c.id.between(last - WINDOW + 1, last), _OF_0_27, _FAILURE)
    query = select(events.c.id, events.c.run_id).where(window).order_by(events.c.id.desc()).limit(limit + 1)
    rows = connection.execute(query).all()
    reports = {each[0].run_id: each for each in _reports(connection, [row.run_id for row in rows])}
    found = [
        compose_run(reports[row.run_id], None)
        for row in rows[:limit]
        # A run that was repeated stands where it ended last.
        if (end := _end(reports.get(row.run_id, ()))) and end.id == row.id
    ]
    rest = rows[limit].id if len(rows) > limit else last - WINDOW
    return RunPage(tuple(found), Cursor(Source.EVENTS, rest + 1) if _any_up_to(connection, rest) else None)


def compose_run(reports: Sequence[EventRecord], newest_event: int | None) -> RunRecord:
    """Put a run together from its events; `newest_event` is the latest event of its job.

    A run without an end counts as running as long as nothing came after its start.
    """
    last = reports[-1]
    end = _end(reports)
    starts = [each for each in reports if not each.ends and (end is None or each.id < end.id)]
    status = _status(end, running=last.id == newest_event)
    return RunRecord(
        id=None,
        run_id=last.run_id,
        job_id=last.job_id,
        status=status,
        reason=NEVER_ENDED if status is Status.LOST else None,
        started_at=starts[-1].datetime if starts else None,
        ended_at=(end or last).datetime if status.final else None,
        host=last.host,
        return_code=end.return_code if end else None,
    )


def _end(reports: Sequence[EventRecord]) -> EventRecord | None:
    return next((each for each in reversed(reports) if each.ends), None)


def _status(end: EventRecord | None, *, running: bool) -> Status:
    if end is None:
        return Status.RUNNING if running else Status.LOST
    well = end.type == Report.FINISHED and end.return_code == 0
    return Status.SUCCEEDED if well else Status.FAILED


def _reports(connection: Connection, run_ids: Sequence[str]) -> list[tuple[EventRecord, ...]]:
    """All events of each run that is not in the ledger; the run with the latest event first."""
    known = in_ledger(connection, run_ids)
    found = find_events(connection, [run_id for run_id in run_ids if run_id not in known])
    return sorted(found.values(), key=lambda each: -each[-1].id)


def _newest_event(connection: Connection, job_id: int | None) -> int | None:
    return connection.execute(select(func.max(events.c.id)).where(events.c.job_id == job_id)).scalar()


def _last_event(connection: Connection, below: int) -> int | None:
    """The id of the last event of 0.27 below that id, found by halving: no index leads there."""
    first = _edge(connection, events.c.id.asc(), below)
    last = _edge(connection, events.c.id.desc(), below)
    if first is None or last is None or not first.inherited:
        return None
    if last.inherited:
        return last.id

    def ours(event_id: int) -> bool:
        until = _edge(connection, events.c.id.desc(), event_id + 1)
        return until is not None and not until.inherited

    # `first` is of 0.27 and `last` is not, so there is one id at which it changes.
    return first.id + bisect_left(range(first.id, last.id), True, key=ours) - 1


def _edge(connection: Connection, order: ColumnElement[int], below: int) -> EventRecord | None:
    """The first event in that order of those below an id."""
    query = select_events().where(events.c.id < below).order_by(order).limit(1)
    return next(iter(event_records(connection, query)), None)


def _any_up_to(connection: Connection, event_id: int) -> bool:
    return connection.execute(select(events.c.id).where(events.c.id <= event_id).limit(1)).first() is not None
