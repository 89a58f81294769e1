"""Runs wherever they are told of: in the ledger, and behind it in what 0.27 left."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from functools import partial

from sqlalchemy import Connection, select, union_all

from cronq.database.reading.brief_runs import WANTED, among_latest
from cronq.database.reading.cursors import LATEST, LATEST_INHERITED, Cursor, Source
from cronq.database.reading.inherited import Inheritance
from cronq.database.reading.runs import RunPage, RunRecord, ledger_records, select_runs
from cronq.database.tables import runs
from cronq.domain.runs import TROUBLE, Status

#: So many killed runs are looked through for those that nobody wanted to end.
_MOST_KILLED = 2000

#: Gives at most so many runs, from those below an id.
_FindRuns = Callable[[int, int], list[RunRecord]]
_FindInherited = Callable[[int, int], RunPage]


def find_run(connection: Connection, run_id: str) -> RunRecord | None:
    """The run of that id."""
    found = ledger_records(connection, select_runs().where(runs.c.run_id == run_id))
    return found[0] if found else Inheritance(connection).run(run_id)


def runs_of_job(connection: Connection, job_id: int, limit: int, since: Cursor = LATEST) -> RunPage:
    """At most `limit` runs of a job, the latest first, from that place in their list on."""

    def in_ledger(below: int, count: int) -> list[RunRecord]:
        return _with_ids(connection, _ids_of_job(connection, job_id, below, count))

    return _page(in_ledger, partial(Inheritance(connection).runs, job_id), since, limit)


def latest_runs_of_jobs(
    connection: Connection, job_ids: Collection[int], limit: int
) -> Mapping[int, tuple[RunRecord, ...]]:
    """The latest runs of several jobs, at most `limit` of each, by the job's id."""
    found: dict[int | None, list[RunRecord]] = defaultdict(list)
    query = select_runs().where(among_latest(connection, job_ids, limit)).order_by(runs.c.id.desc())
    for run in ledger_records(connection, query) if job_ids else ():
        found[run.job_id].append(run)
    inheritance = Inheritance(connection)
    for job_id in job_ids:
        if room := limit - len(found[job_id]):
            found[job_id] += inheritance.runs(job_id, LATEST_INHERITED.below, room).runs
    return {job_id: tuple(found[job_id]) for job_id in job_ids}


def latest_failures(
    connection: Connection, limit: int, since: Cursor = LATEST, status: Status | None = None
) -> RunPage:
    """Runs of all jobs that came to no good end, or those of one status, from that place in their list on.

    What was killed because somebody wanted it is only among those of that status.
    """
    statuses = TROUBLE if status is None else (status,)

    def in_ledger(below: int, count: int) -> list[RunRecord]:
        if status is not None:
            return _latest_with(connection, statuses, below, count)
        others = [each for each in statuses if each is not Status.KILLED]
        found = [*_latest_with(connection, others, below, count), *_killed_unwanted(connection, below, count)]
        return sorted(found, key=lambda run: run.id or 0, reverse=True)[:count]

    # All that 0.27 knew of was the return code.
    from_0_27 = Inheritance(connection).failures if Status.FAILED in statuses else _nothing
    return _page(in_ledger, from_0_27, since, limit)


def _nothing(_below: int, _limit: int) -> RunPage:
    return RunPage(())


def _page(in_ledger: _FindRuns, from_0_27: _FindInherited, since: Cursor, limit: int) -> RunPage:
    """The page at that place of a list that begins in the ledger and goes on in what 0.27 left."""
    if since.source is Source.EVENTS:
        return from_0_27(since.below, limit)
    found = in_ledger(since.below, limit + 1)
    if len(found) > limit:
        first_older = found[limit].id or 0
        return RunPage(tuple(found[:limit]), Cursor(Source.LEDGER, first_older + 1))
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
    return _with_ids(connection, ids)


def _killed_unwanted(connection: Connection, below: int, count: int) -> list[RunRecord]:
    """The latest runs that were killed though nobody wanted it."""
    killed = select(runs.c.id).where(runs.c.status == Status.KILLED.value, runs.c.publish_after.is_(None))
    newest = killed.where(runs.c.id < below).order_by(runs.c.id.desc()).limit(_MOST_KILLED).subquery()
    query = select_runs().join(newest, newest.c.id == runs.c.id).where(~WANTED)
    return ledger_records(connection, query.order_by(runs.c.id.desc()).limit(count))


def _ids_of_job(connection: Connection, job_id: int, below: int, count: int) -> list[int]:
    # By the index alone: for whole rows MariaDB would first walk over all entries that are not below.
    query = select(runs.c.id).where(runs.c.job_id == job_id, runs.c.id < below)
    return list(connection.scalars(query.order_by(runs.c.id.desc()).limit(count)))


def _with_ids(connection: Connection, ids: Collection[int]) -> list[RunRecord]:
    """The runs with these ids, the latest first."""
    query = select_runs().where(runs.c.id.in_(ids))
    return ledger_records(connection, query.order_by(runs.c.id.desc())) if ids else []
