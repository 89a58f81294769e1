"""Runs wherever they are told of: in the ledger, and behind it in what 0.27 left."""

from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection, select, union_all

from cronq.database.reading.cursors import LATEST, LATEST_INHERITED, Cursor, Source
from cronq.database.reading.inherited import any_inherited, inherited_failures, inherited_run, inherited_runs
from cronq.database.reading.runs import RunPage, RunRecord, ledger_records, select_runs
from cronq.database.tables import runs
from cronq.domain.runs import Status

#: What somebody should look at, the most usual first.
TROUBLE = (
    Status.FAILED,
    Status.TIMED_OUT,
    Status.KILLED,
    Status.LOST,
    Status.MISSED,
    Status.UNROUTABLE,
)

#: Gives at most so many runs, from those below an id.
_FindRuns = Callable[[int, int], list[RunRecord]]
_FindInherited = Callable[[int, int], RunPage]


def find_run(connection: Connection, run_id: str) -> RunRecord | None:
    """The run of that id."""
    found = ledger_records(connection, select_runs().where(runs.c.run_id == run_id))
    return found[0] if found else inherited_run(connection, run_id)


def runs_of_job(connection: Connection, job_id: int, limit: int, since: Cursor = LATEST) -> RunPage:
    """At most `limit` runs of a job, the latest first, from that place in their list on."""
    return runs_of_jobs(connection, [job_id], limit, since)[job_id]


def runs_of_jobs(
    connection: Connection, job_ids: Collection[int], limit: int, since: Cursor = LATEST
) -> Mapping[int, RunPage]:
    """The same for several jobs, by the job's id."""
    inherited = any_inherited(connection)
    return {job_id: _runs_of_job(connection, job_id, limit, since, inherited) for job_id in job_ids}


def latest_failures(
    connection: Connection, limit: int, since: Cursor = LATEST, status: Status | None = None
) -> RunPage:
    """Runs of all jobs that came to no good end, or those of one status, from that place in their list on."""
    statuses = TROUBLE if status is None else (status,)

    def in_ledger(below: int, count: int) -> list[RunRecord]:
        return _latest_with(connection, statuses, below, count)

    def from_0_27(below: int, count: int) -> RunPage:
        return inherited_failures(connection, below, count)

    inherited = Status.FAILED in statuses and any_inherited(connection)
    return _page(in_ledger, from_0_27 if inherited else None, since, limit)


def _runs_of_job(connection: Connection, job_id: int, limit: int, since: Cursor, inherited: bool) -> RunPage:
    def in_ledger(below: int, count: int) -> list[RunRecord]:
        query = select_runs().where(runs.c.job_id == job_id, runs.c.id < below)
        return ledger_records(connection, query.order_by(runs.c.id.desc()).limit(count))

    def from_0_27(below: int, count: int) -> RunPage:
        return inherited_runs(connection, job_id, below, count)

    return _page(in_ledger, from_0_27 if inherited else None, since, limit)


def _page(in_ledger: _FindRuns, from_0_27: _FindInherited | None, since: Cursor, limit: int) -> RunPage:
    """The page at that place of a list that begins in the ledger and may go on in what 0.27 left."""
    if since.source is Source.EVENTS:
        return from_0_27(since.below, limit) if from_0_27 else RunPage(())
    found = in_ledger(since.below, limit + 1)
    if len(found) > limit:
        first_older = found[limit].id or 0
        return RunPage(tuple(found[:limit]), Cursor(Source.LEDGER, first_older + 1))
    if from_0_27 is None:
        return RunPage(tuple(found))
    rest = from_0_27(LATEST_INHERITED.below, limit - len(found))
    return RunPage((*found, *rest.runs), rest.older)


def _latest_with(
    connection: Connection, statuses: Collection[Status], below: int, count: int
) -> list[RunRecord]:
    """The latest runs with one of the statuses, each of which is read off the end of its part of an index."""
    # What has ended is not to be published: so the index over (status, publish_after, id) holds them by id.
    ends = [
        select(runs.c.id)
        .where(runs.c.status == status.value, runs.c.publish_after.is_(None), runs.c.id < below)
        .order_by(runs.c.id.desc())
        .limit(count)
        .subquery()
        for status in statuses
    ]
    ids = sorted(connection.scalars(union_all(*(select(end.c.id) for end in ends))), reverse=True)[:count]
    return ledger_records(connection, select_runs().where(runs.c.id.in_(ids)).order_by(runs.c.id.desc()))
