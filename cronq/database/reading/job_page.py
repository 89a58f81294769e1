"""What the page of a job shows, read in one transaction."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from cronq.database.gateway import now as database_now
from cronq.database.reading.backfills import BackfillRecord, find_backfills
from cronq.database.reading.changes import ChangePage, ChangeSearch, read_changes
from cronq.database.reading.cursors import Place
from cronq.database.reading.days import JobDays, read_days
from cronq.database.reading.job_runs import JobRuns, JobRunSearch, read_job_runs
from cronq.database.reading.records import find_job
from cronq.database.reading.runs import RunRecord, ledger_records
from cronq.database.reading.telling_runs import telling_runs
from cronq.database.reading.usual import usual_durations
from cronq.database.reading.views import JobView
from cronq.database.tables import runs
from cronq.domain.usual import UsualDuration

RUNS_ON_A_PAGE = 25
CHANGES_OF_A_JOB = 5
#: Whole weeks before this one that the days are shown of.
WEEKS = 52
#: So many of the latest runs are looked at for those that were started, and so many of these are shown.
_LATEST, _STARTED = 120, 60
#: What a chart needs of them.
_TIMES = (
    runs.c.id, runs.c.run_id, runs.c.job_id, runs.c.status, runs.c.slot, runs.c.queued_at, runs.c.started_at,
    runs.c.ended_at, runs.c.return_code, runs.c.run_time,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class JobPageView:
    """The page of a job."""

    now: datetime
    view: JobView
    search: JobRunSearch
    runs: JobRuns
    days: JobDays
    #: The latest that were started, the latest first.
    timed: tuple[RunRecord, ...]
    #: None until it has succeeded, and for a while after that.
    usual: UsualDuration | None
    backfills: tuple[BackfillRecord, ...]
    #: The latest.
    changes: ChangePage

    @property
    def earlier_day(self) -> date | None:
        """Where to go on when runs of a status were looked for in vain: the last day that had some."""
        status, back_to = self.search.status, self.runs.looked_back_to
        if status is None or back_to is None or self.search.day is not None:
            return None
        return self.days.latest_with(status, back_to + timedelta(days=1))


def read_job(connection: Connection, job_id: int, search: JobRunSearch, place: Place) -> JobPageView | None:
    """A job, and those of its runs that are searched for."""
    job = find_job(connection, job_id)
    if job is None:
        return None
    now = database_now(connection)
    return JobPageView(
        now,
        JobView(job, telling_runs(connection, [job_id]).get(job_id)),
        search,
        read_job_runs(connection, job_id, search, place, RUNS_ON_A_PAGE),
        read_days(connection, job_id, first_day(now.date()), now),
        _timed(connection, job_id),
        usual_durations(connection, [job_id]).get(job_id),
        tuple(find_backfills(connection, job_id)),
        read_changes(connection, ChangeSearch(job_id=job_id), CHANGES_OF_A_JOB),
    )


def first_day(today: date) -> date:
    """The Monday a year ago, with which the days of a job begin."""
    return today - timedelta(days=today.weekday(), weeks=WEEKS)


def _timed(connection: Connection, job_id: int) -> tuple[RunRecord, ...]:
    latest = select(runs.c.id).where(runs.c.job_id == job_id).order_by(runs.c.id.desc()).limit(_LATEST)
    ids = connection.scalars(latest).all()
    started = select(*_TIMES).where(runs.c.id.in_(ids), runs.c.started_at.is_not(None))
    started = started.order_by(runs.c.id.desc()).limit(_STARTED)
    return tuple(ledger_records(connection, started)) if ids else ()
