"""Jobs of which the last that is known is not good."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Subquery, func, select

from cronq.database.acknowledgement_tables import acknowledgements
from cronq.database.reading.acknowledgements import acknowledged
from cronq.database.reading.records import JobRecord, find_jobs
from cronq.database.reading.streaks import find_streaks
from cronq.database.tables import jobs, runs
from cronq.domain.runs import Status

#: So many of them are counted.
MOST_JOBS = 1000
#: So many runs that came to such an end are looked at, the latest.
MOST_RUNS = 500
#: Of so many the latest are named.
_NAMED = 100
#: Of so many it is asked whether what people have said still holds.
_MOST_KNOWN = 50


@dataclass(frozen=True, slots=True)
class Troubled:
    """Some jobs that have the same trouble."""

    #: At most as many as are counted.
    count: int
    #: When the first of them got into it, as far as that is known, and the last.
    since: datetime | None
    latest: datetime | None
    #: A few of them, the latest first.
    jobs: tuple[JobRecord, ...]
    #: When each of these got into it, by the id of the job, as far as that is known.
    since_of: Mapping[int, datetime]


def known_jobs(connection: Connection) -> frozenset[int]:
    """The jobs of which people have said that they know what is wrong with them, and nothing has changed."""
    said = select(acknowledgements.c.job_id).join(jobs, jobs.c.id == acknowledgements.c.job_id)
    ill = func.coalesce(jobs.c.last_run_status, "") != Status.SUCCEEDED.value
    ids = connection.scalars(said.where(jobs.c.removed_at.is_(None), ill).limit(_MOST_KNOWN)).all()
    return frozenset(acknowledged(connection, ids)) if ids else frozenset()


def failing_jobs(connection: Connection, others: frozenset[int], shown: int) -> Troubled | None:
    """The jobs that did not succeed when they ended last, but for those others; None when there are none."""
    failed = [jobs.c.removed_at.is_(None), jobs.c.last_run_status == Status.FAILED.value]
    if others:
        failed.append(jobs.c.id.not_in(sorted(others)))
    some = select(jobs.c.id).where(*failed).limit(MOST_JOBS).subquery()
    count = connection.scalar(select(func.count()).select_from(some)) or 0
    rows = connection.execute(select(jobs.c.id, jobs.c.last_run_stop).where(*failed).limit(_NAMED)).all()
    at: dict[int, datetime | None] = {row.id: row.last_run_stop for row in rows}
    if not at:
        return None
    known_at = [moment for moment in at.values() if moment is not None]
    ids = sorted(at, key=lambda job_id: (at[job_id] or datetime.min, job_id), reverse=True)[:shown]
    streaks = find_streaks(connection, ids)
    since_of = {job_id: streak.since for job_id, streak in streaks.items() if streak.since is not None}
    latest = max(known_at, default=None)
    return Troubled(count, min(known_at, default=None), latest, _named(connection, ids), since_of)


def jobs_that_ended(
    connection: Connection, status: Status, known: frozenset[int], shown: int
) -> Troubled | None:
    """The jobs of which a run ended so, and that have not been started since, nor have succeeded.

    Those that are known are not among them.
    """
    by_job = _that_ended(status, known)
    # The server counts them: hundreds of rows would cost more than all else.
    of_all = func.count().over(), func.min(by_job.c.at).over(), func.max(by_job.c.at).over()
    latest = select(by_job.c.id, by_job.c.at, *of_all)
    rows = connection.execute(latest.order_by(by_job.c.at.desc(), by_job.c.id.desc()).limit(shown)).all()
    if not rows:
        return None
    _, _, count, since, last = rows[0]
    named = _named(connection, [row.id for row in rows])
    return Troubled(count, since, last, named, {row.id: row.at for row in rows})


def ids_that_ended(connection: Connection, status: Status, known: frozenset[int]) -> frozenset[int]:
    """The ids of all of these jobs."""
    return frozenset(connection.scalars(select(_that_ended(status, known).c.id)))


def _that_ended(status: Status, known: frozenset[int]) -> Subquery:
    ended = runs.c.status == status.value, runs.c.publish_after.is_(None)
    # By the index alone: for whole rows MariaDB would rather sort.
    newest = select(runs.c.id).where(*ended).order_by(runs.c.id.desc()).limit(MOST_RUNS).subquery()
    well = (jobs.c.last_run_status == Status.SUCCEEDED.value) & (jobs.c.last_run_stop >= runs.c.recorded_at)
    ill = [
        jobs.c.removed_at.is_(None),
        ~func.coalesce(well, False),
        ~func.coalesce(jobs.c.last_run_start > runs.c.recorded_at, False),
    ]
    if known:
        ill.append(jobs.c.id.not_in(sorted(known)))
    return (
        select(jobs.c.id, func.max(runs.c.recorded_at).label("at"))
        .select_from(newest)
        .join(runs, runs.c.id == newest.c.id)
        .join(jobs, jobs.c.id == runs.c.job_id)
        .where(*ill)
        .group_by(jobs.c.id)
        .subquery()
    )


def _named(connection: Connection, ids: Sequence[int]) -> tuple[JobRecord, ...]:
    """These jobs, in this order."""
    records = find_jobs(connection, ids)
    return tuple(records[job_id] for job_id in ids if job_id in records)
