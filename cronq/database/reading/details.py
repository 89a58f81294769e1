"""Jobs in all detail, as programs ask for them: each with its latest runs, and these with their events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from cronq.database.bulk import chunks
from cronq.database.gateway import now as database_now
from cronq.database.reading.history import latest_runs_of_jobs
from cronq.database.reading.jobs import Selection, Sort, list_jobs
from cronq.database.reading.records import JobRecord, find_job
from cronq.database.reading.runs import RunRecord
from cronq.database.tables import events
from cronq.domain.messages import Report

RUNS_OF_A_JOB = 20


@dataclass(frozen=True, slots=True)
class EventIds:
    """Which events told first that a run had started, and last that it had ended."""

    started: int | None = None
    ended: int | None = None


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job with its latest runs, the latest first, and the events of each by its run id."""

    job: JobRecord
    runs: tuple[RunRecord, ...]
    events: Mapping[str, EventIds]
    #: By the clock of the database.
    now: datetime


def read_jobs_in_detail(
    connection: Connection, selection: Selection, sort: Sort, offset: int, limit: int
) -> list[JobDetails]:
    """At most `limit` jobs that are not removed, from the one at `offset` on."""
    return _details(connection, list_jobs(connection, selection, sort, offset=offset, limit=limit))


def read_job_in_detail(connection: Connection, job_id: int) -> JobDetails | None:
    """The job of that id, removed or not."""
    job = find_job(connection, job_id)
    return None if job is None else _details(connection, [job])[0]


def _details(connection: Connection, jobs: Sequence[JobRecord]) -> list[JobDetails]:
    runs = latest_runs_of_jobs(connection, [job.id for job in jobs], RUNS_OF_A_JOB)
    found = _event_ids(connection, [run.run_id for each in runs.values() for run in each])
    now = database_now(connection)
    return [JobDetails(job, runs[job.id], found, now) for job in jobs]


def _event_ids(connection: Connection, run_ids: Sequence[str]) -> Mapping[str, EventIds]:
    """By run id; one row for each run, as there may be thousands of events."""
    starts = events.c.type == Report.STARTING.value
    started = func.min(case((starts, events.c.id)))
    ended = func.max(case((~starts, events.c.id)))
    query = select(events.c.run_id, started, ended).group_by(events.c.run_id)
    return {
        run_id: EventIds(*ids)
        for some in chunks(sorted(run_ids))
        for run_id, *ids in connection.execute(query.where(events.c.run_id.in_(some)))
    }
