"""What each page shows, read in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cronq.database.gateway import now as database_now
from cronq.database.reading.backfills import BackfillRecord, find_backfills
from cronq.database.reading.categories import CategoryRecord, list_categories
from cronq.database.reading.changes import ChangePage, ChangeSearch, read_changes
from cronq.database.reading.cursors import Cursor
from cronq.database.reading.history import find_run, latest_failures, runs_of_job
from cronq.database.reading.jobs import JobPage, Search, oldest_due, search_jobs
from cronq.database.reading.records import JobRecord, JobState, find_job, find_jobs
from cronq.database.reading.runners import is_runner
from cronq.database.reading.runs import (
    EventRecord,
    KillRecord,
    Made,
    RunPage,
    RunRecord,
    find_events,
    find_kill,
    find_made,
    find_output,
    latest_runs,
)
from cronq.domain.outputs import Output
from cronq.domain.runs import Status
from cronq.domain.schedules.preview import Preview, preview
from cronq.domain.zones import wall_time

JOBS_ON_A_PAGE = 50
RUNS_ON_A_PAGE = 25
NEXT_SLOTS = 5
CHANGES_OF_A_JOB = 5
#: A slot that nobody takes for so long says that no injector is up.
LATE_AFTER = timedelta(minutes=1)

_BY_STATE = {
    JobState.STARTING: Status.RUNNING,
    JobState.SUCCEEDED: Status.SUCCEEDED,
    JobState.FAILED: Status.FAILED,
}


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with what the ledger says of its latest run."""

    job: JobRecord
    latest: RunRecord | None

    @property
    def status(self) -> Status | None:
        """How it stands with the job; None when it never ran."""
        return self.latest.status if self.latest else _BY_STATE.get(self.job.state)

    @property
    def schedule(self) -> str:
        """The schedule as a phrase."""
        return self.job.schedule_in_words or "no more slots"

    @property
    def after(self) -> tuple[str, ...]:
        """The jobs of its category after which it runs."""
        return self.job.rules.after

    @property
    def schedules(self) -> tuple[str, ...]:
        """The texts of its schedules, as they are in its document; none for a job that 0.27 stored."""
        specification, text = self.job.specification(), self.job.schedule_text
        if specification is None:
            return () if text is None else (text,)
        return specification.schedules

    @property
    def limits(self) -> Mapping[str, Any]:
        """What else its document says of when it runs, key by key."""
        specification = self.job.specification()
        written = {} if specification is None else specification.as_document()
        return {key: value for key, value in written.items() if key != "schedule"}

    @property
    def zone(self) -> ZoneInfo | None:
        """By whose clocks it runs; None: those of UTC."""
        specification = self.job.specification()
        return specification.zone() if specification and self.job.schedule() else None

    def local(self, slot: datetime) -> datetime:
        """What these clocks show at a slot."""
        return wall_time(slot, self.zone)

    def remarks(self, now: datetime) -> Preview | None:
        """The notes and warnings about its schedule; None when it has none to be read, or is removed."""
        specification = self.job.specification()
        if specification is None or self.job.schedule() is None or self.job.removed_at is not None:
            return None
        return preview(specification, now, NEXT_SLOTS)

    def next_slots(self, now: datetime) -> tuple[datetime, ...]:
        """The first slot that no one has accounted for, and the next few that are still to come."""
        schedule = self.job.schedule()
        found: list[datetime] = []
        slot = self.job.next_run
        while slot is not None and len(found) < NEXT_SLOTS:
            found.append(slot)
            slot = schedule.first_after(max(slot, now)) if schedule else None
        return tuple(found)


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Jobs of one category that stand together on a page."""

    category: CategoryRecord | None
    jobs: tuple[JobView, ...]


@dataclass(frozen=True, slots=True)
class JobListView:
    """The page with the jobs."""

    now: datetime
    search: Search
    page: JobPage
    groups: tuple[JobGroup, ...]
    categories: tuple[str, ...]
    #: The oldest slot that has been waiting for an injector for too long.
    late_since: datetime | None


@dataclass(frozen=True, slots=True)
class JobPageView:
    """The page of a job."""

    now: datetime
    view: JobView
    runs: RunPage
    backfills: tuple[BackfillRecord, ...]
    #: The latest.
    changes: ChangePage


@dataclass(frozen=True, slots=True)
class RunView:
    """The page of a run."""

    now: datetime
    run: RunRecord
    #: None when 0.27 has removed it.
    job: JobRecord | None
    #: None for a run that no injector of this version has made.
    made: Made | None
    #: What its runner is told, while it is to be killed.
    kill: KillRecord | None
    #: None when there was none, or none is kept.
    output: Output | None
    events: tuple[EventRecord, ...]
    #: Whether its runner is still in the table of runners.
    runner_is_known: bool


@dataclass(frozen=True, slots=True)
class FailuresView:
    """The page with the failed runs of all jobs."""

    now: datetime
    status: Status | None
    page: RunPage
    jobs: Mapping[int, JobRecord]


def read_job_list(
    connection: Connection, search: Search, after: int | None, before: int | None
) -> JobListView:
    """Jobs from the first on, or those after or before the job of an id."""
    now = database_now(connection)
    page = search_jobs(connection, search, limit=JOBS_ON_A_PAGE, after=after, before=before)
    latest = latest_runs(connection, [job.id for job in page.jobs])
    views = [JobView(job, latest.get(job.id)) for job in page.jobs]
    groups = groupby(views, key=lambda view: view.job.category)
    due = oldest_due(connection)
    return JobListView(
        now,
        search,
        page,
        tuple(JobGroup(category, tuple(jobs)) for category, jobs in groups),
        tuple(sorted(each.name for each in list_categories(connection))),
        due if due is not None and due < now - LATE_AFTER else None,
    )


def read_job(connection: Connection, job_id: int, since: Cursor) -> JobPageView | None:
    """A job and its runs from a place in their list on."""
    job = find_job(connection, job_id)
    if job is None:
        return None
    latest = latest_runs(connection, [job_id]).get(job_id)
    runs = runs_of_job(connection, job_id, RUNS_ON_A_PAGE, since)
    backfills = tuple(find_backfills(connection, job_id))
    changes = read_changes(connection, ChangeSearch(job_id=job_id), CHANGES_OF_A_JOB)
    return JobPageView(database_now(connection), JobView(job, latest), runs, backfills, changes)


def read_run(connection: Connection, run_id: str) -> RunView | None:
    """A run and all that is known about it."""
    run = find_run(connection, run_id)
    if run is None:
        return None
    return RunView(
        database_now(connection),
        run,
        None if run.job_id is None else find_job(connection, run.job_id),
        find_made(connection, run.definition_id),
        find_kill(connection, run_id) if run.status is Status.RUNNING else None,
        find_output(connection, run_id),
        find_events(connection, [run_id]).get(run_id, ()),
        run.runner is not None and is_runner(connection, run.runner),
    )


def read_failures(connection: Connection, since: Cursor, status: Status | None) -> FailuresView:
    """Failed runs from a place in their list on, of one status or of all."""
    page = latest_failures(connection, RUNS_ON_A_PAGE, since, status)
    jobs = find_jobs(connection, {run.job_id for run in page.runs if run.job_id is not None})
    return FailuresView(database_now(connection), status, page, jobs)
