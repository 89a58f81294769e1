"""What 0.27 left: runs of which only events tell.

It kept no ledger, so a run is put together from its events. All of them lie before the first event of this
version, since the results daemon of 0.27 is stopped before ours is started.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property

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

#: How many events one page of failures looks through: most runs succeed, and no index knows which did not.
WINDOW = 20_000

_REASONS = {
    Status.RUNNING: "cronq 0.27 recorded its start, and no end has been reported yet",
    Status.LOST: "cronq 0.27 recorded its start and never an end",
}
_FAILURE = or_(
    and_(events.c.type == Report.FINISHED.value, events.c.return_code != 0),
    events.c.type == Report.FAILED.value,
)


class Inheritance:
    """What 0.27 left in a database, as one transaction sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def last(self) -> int:
        """The id of the last event of 0.27, or 0; it is found by halving, as no index leads there."""
        first, last = self._edge(events.c.id.asc()), self._edge(events.c.id.desc())
        if first is None or last is None or not first.inherited:
            return 0
        if last.inherited:
            return last.id
        # There is one id at which it changes: the first up to which an event is ours.
        return first.id + bisect_left(range(first.id, last.id), True, key=self._ours_from) - 1

    def run(self, run_id: str) -> RunRecord | None:
        """The run of that id, if there are events of it and no row in the ledger."""
        found = self._reports([run_id])
        return compose_run(found[0], self._newest(found[0][0].job_id)) if found else None

    def runs(self, job_id: int, below: int, limit: int) -> RunPage:
        """At most `limit` runs of a job, the latest first, of those whose last event is below that id."""
        if not self.last:
            return RunPage(())
        below = min(below, self.last + 1)
        # Two events for a run, as a rule; but 0.27 repeated runs when its broker restarted.
        enough = 3 * (limit + 1)
        mine = select(events.c.id).where(events.c.job_id == job_id, events.c.id < below)
        ids = list(self._connection.scalars(mine.order_by(events.c.id.desc()).limit(enough)))
        found = [each for each in self._reports(self._run_ids(ids)) if each[-1].id < below]
        newest = self._newest(job_id) if found else None
        page = tuple(compose_run(each, newest) for each in found[:limit])
        if len(found) > limit:
            return RunPage(page, Cursor(Source.EVENTS, found[limit][-1].id + 1))
        return RunPage(page, Cursor(Source.EVENTS, ids[-1]) if len(ids) == enough else None)

    def failures(self, below: int, limit: int) -> RunPage:
        """Failed runs of all jobs, the latest first; there may be older ones when a page has none."""
        if not self.last:
            return RunPage(())
        last = min(below - 1, self.last)
        window = and_(events.c.id.between(last - WINDOW + 1, last), _FAILURE)
        query = select(events.c.id, events.c.run_id).where(window)
        rows = self._connection.execute(query.order_by(events.c.id.desc()).limit(limit + 1)).all()
        reports = {each[0].run_id: each for each in self._reports([row.run_id for row in rows])}
        found = [
            compose_run(reports[row.run_id], None)
            for row in rows[:limit]
            # A run that was repeated stands where it ended last.
            if (end := _end(reports.get(row.run_id, ()))) and end.id == row.id
        ]
        rest = rows[limit].id if len(rows) > limit else last - WINDOW
        older = Cursor(Source.EVENTS, rest + 1) if self._edge(events.c.id.desc(), rest + 1) else None
        return RunPage(tuple(found), older)

    def _ours_from(self, event_id: int) -> bool:
        until = self._edge(events.c.id.desc(), event_id + 1)
        return until is not None and not until.inherited

    def _edge(self, order: ColumnElement[int], below: int = 2**62) -> EventRecord | None:
        """The first event in that order of those below an id."""
        query = select_events().where(events.c.id < below).order_by(order).limit(1)
        return next(iter(event_records(self._connection, query)), None)

    def _newest(self, job_id: int | None) -> int | None:
        """The id of the latest event of a job."""
        newest = select(func.max(events.c.id)).where(events.c.job_id == job_id)
        return self._connection.execute(newest).scalar()

    def _run_ids(self, event_ids: Sequence[int]) -> list[str]:
        query = select(events.c.run_id).where(events.c.id.in_(event_ids))
        return list(self._connection.scalars(query))

    def _reports(self, run_ids: Sequence[str]) -> list[tuple[EventRecord, ...]]:
        """All events of each run that is not in the ledger; the run with the latest event first."""
        known = in_ledger(self._connection, run_ids)
        found = find_events(self._connection, [run_id for run_id in run_ids if run_id not in known])
        return sorted(found.values(), key=lambda each: -each[-1].id)


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
        reason=_REASONS.get(status),
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
