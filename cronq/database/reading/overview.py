"""What the overview shows, and its numbers, which head the list of jobs as well."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from cronq.database.gateway import now as database_now
from cronq.database.reading.concerns import read_concerns
from cronq.database.reading.hours import Hours, read_hours
from cronq.database.reading.records import JobRecord, find_jobs
from cronq.database.reading.runners import RunnerCounts, count_runners
from cronq.database.reading.runs import RunRecord, ledger_records, select_runs
from cronq.database.reading.standing import LastSlot, read_last_slot, read_standing
from cronq.database.reading.upcoming import read_coming
from cronq.database.reading.usual import usual_durations
from cronq.database.tables import jobs, runs
from cronq.domain.concerns import Concern
from cronq.domain.runs import Status
from cronq.domain.standing import Standing
from cronq.domain.usual import UsualDuration

#: So many runs and jobs are counted; where there are more, it is said that there are.
ENOUGH = 1000
#: Of the runs that are running, so many are compared with what they usually take, the oldest first,
_COMPARED = 200
#: and so many are shown.
MOST_RUNNING = 10
MOST_COMING = 8


#: Nobody waits for what takes no longer.
_SHORT = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Numbers:
    """An installation in a few numbers."""

    now: datetime
    #: At most `ENOUGH`.
    running: int
    queued: int
    concerns: tuple[Concern, ...]
    standing: Standing
    runners: RunnerCounts
    last_slot: LastSlot | None
    #: The first slot that no one has accounted for.
    next_slot: datetime | None

    @property
    def trouble(self) -> int:
        """How many things need somebody."""
        return sum(concern.weight for concern in self.concerns)


@dataclass(frozen=True, slots=True)
class RunningRun:
    """A run that is running."""

    run: RunRecord
    #: None when 0.27 has removed it.
    job: JobRecord | None
    elapsed: timedelta
    usual: UsualDuration | None

    @property
    def overdue(self) -> bool:
        """Whether it takes longer than nearly all that were good; below a second, nothing is long."""
        return self.usual is not None and self.elapsed.total_seconds() > max(self.usual.p95, _SHORT)


@dataclass(frozen=True, slots=True)
class ComingJob:
    """A job and its next slot."""

    job: JobRecord
    slot: datetime
    usual: UsualDuration | None


@dataclass(frozen=True, slots=True)
class OverviewView:
    """The whole page."""

    numbers: Numbers
    #: Those that take longer than usual, and then the oldest.
    running: tuple[RunningRun, ...]
    coming: tuple[ComingJob, ...]
    hours: Hours

    @property
    def now(self) -> datetime:
        """When it was read."""
        return self.numbers.now


def read_numbers(connection: Connection) -> Numbers:
    """The numbers alone."""
    now = database_now(connection)
    standing = read_standing(connection, now)
    return Numbers(
        now,
        _count(connection, Status.RUNNING),
        _count(connection, Status.QUEUED),
        read_concerns(connection, standing, now),
        standing,
        count_runners(connection, now),
        read_last_slot(connection),
        connection.scalar(select(func.min(jobs.c.next_run))),
    )


def read_overview(connection: Connection) -> OverviewView:
    """All of it."""
    numbers = read_numbers(connection)
    return OverviewView(
        numbers,
        _running(connection, numbers.now),
        _coming(connection),
        read_hours(connection, numbers.now),
    )


def _count(connection: Connection, status: Status) -> int:
    some = select(runs.c.id).where(runs.c.status == status.value).limit(ENOUGH).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def _running(connection: Connection, now: datetime) -> tuple[RunningRun, ...]:
    # What runs is not to be published, so that the index has it by its id.
    oldest = runs.c.status == Status.RUNNING.value, runs.c.publish_after.is_(None)
    query = select_runs().where(*oldest).order_by(runs.c.id).limit(_COMPARED)
    found = ledger_records(connection, query)
    ids = {run.job_id for run in found if run.job_id is not None}
    usual = usual_durations(connection, ids)
    begun = [RunningRun(run, None, _elapsed(run, now), usual.get(run.job_id or 0)) for run in found]
    shown = sorted(begun, key=lambda each: (not each.overdue, -each.elapsed))[:MOST_RUNNING]
    known = find_jobs(connection, {each.run.job_id for each in shown if each.run.job_id is not None})
    return tuple(replace(each, job=known.get(each.run.job_id or 0)) for each in shown)


def _elapsed(run: RunRecord, now: datetime) -> timedelta:
    # By the runner's clock, which may be ahead.
    return max(now - (run.started_at or run.queued_at or now), timedelta(0))


def _coming(connection: Connection) -> tuple[ComingJob, ...]:
    found = read_coming(connection, "", MOST_COMING)
    return tuple(
        ComingJob(job, job.next_run, found.usual.get(job.id))
        for job in found.jobs
        if job.next_run is not None
    )
