"""Jobs in all detail, as programs ask for them: each with its latest runs, and these with their events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cronq.database.gateway import now as database_now
from cronq.database.reading.history import latest_runs_of_jobs
from cronq.database.reading.jobs import Selection, Sort, list_jobs
from cronq.database.reading.records import JobRecord, find_job
from cronq.database.reading.runs import EventRecord, RunRecord, find_events

RUNS_OF_A_JOB = 20


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job with its latest runs, the latest first, and the events of each by its run id."""

    job: JobRecord
    runs: tuple[RunRecord, ...]
    events: Mapping[str, tuple[EventRecord, ...]]
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
    events = find_events(connection, [run.run_id for each in runs.values() for run in each])
    now = database_now(connection)
    return [JobDetails(job, runs[job.id], events, now) for job in jobs]
