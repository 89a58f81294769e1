"""What the page with the jobs shows."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, func, select

from cronq.database.facet_tables import job_facets
from cronq.database.gateway import now as database_now
from cronq.database.reading.brief_runs import Bar, BriefRun, find_brief_runs, latest_bars
from cronq.database.reading.categories import CategoryRecord
from cronq.database.reading.job_order import JobOrder, JobSort
from cronq.database.reading.job_pages import JobPage, Start, find_page
from cronq.database.reading.job_search import LATE_AFTER, Search
from cronq.database.reading.jobs import oldest_due
from cronq.database.reading.records import JobRecord
from cronq.database.reading.telling_runs import running_rows
from cronq.database.reading.usual import usual_durations
from cronq.database.tables import categories
from cronq.domain.facets import Facet
from cronq.domain.pauses import Pause
from cronq.domain.runs import Status
from cronq.domain.usual import UsualDuration

JOBS_ON_A_PAGE = 40
RUNS_OF_A_JOB = 30
#: Names among which a person can choose; of more, they have to write one.
MOST_CHOICES = 200


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job in the list."""

    job: JobRecord
    #: Its latest runs, the latest first.
    bars: tuple[Bar, ...]
    #: The latest run that is running, and else the first of these; and the first that came to no good end.
    latest: BriefRun | None
    latest_trouble: BriefRun | None
    #: None when it has never succeeded.
    usual: UsualDuration | None
    pause: Pause | None
    #: Whether no injector takes its slot.
    late: bool

    @property
    def status(self) -> Status | None:
        """Running as long as any run of it is, and else that of its latest; None when it never ran."""
        return self.latest.status if self.latest else self.job.reported_status


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Jobs that stand together: those of one category, where the order is by category."""

    category: CategoryRecord | None
    jobs: tuple[ListedJob, ...]


@dataclass(frozen=True, slots=True)
class JobListView:
    """The page with the jobs."""

    now: datetime
    search: Search
    order: JobOrder
    page: JobPage
    groups: tuple[JobGroup, ...]
    #: What can be chosen from; None: there are too many.
    categories: tuple[str, ...] | None
    owners: tuple[str, ...] | None
    tags: tuple[str, ...] | None
    #: The oldest slot that has been waiting for an injector for too long.
    late_since: datetime | None


def read_job_list(connection: Connection, search: Search, order: JobOrder, start: Start) -> JobListView:
    """The page of the jobs of a search that begins or ends there."""
    now = database_now(connection)
    page = find_page(connection, search, order, start, now, JOBS_ON_A_PAGE)
    due = oldest_due(connection)
    late_since = due if due is not None and due < now - LATE_AFTER else None
    return JobListView(
        now,
        search,
        order,
        page,
        _groups(_listed(connection, page, now), order),
        _category_names(connection),
        _values(connection, Facet.OWNER),
        _values(connection, Facet.TAG),
        late_since,
    )


def _listed(connection: Connection, page: JobPage, now: datetime) -> list[ListedJob]:
    ids = [job.id for job in page.jobs]
    bars, usual = latest_bars(connection, ids, RUNS_OF_A_JOB), usual_durations(connection, ids)
    latest = {job_id: each[0].id for job_id, each in bars.items()} | running_rows(connection, ids)
    trouble = {
        job_id: next((bar.id for bar in each if bar.in_trouble), None) for job_id, each in bars.items()
    }
    brief = find_brief_runs(connection, {*latest.values(), *filter(None, trouble.values())})
    return [
        ListedJob(
            job,
            bars.get(job.id, ()),
            brief.get(latest.get(job.id, 0)),
            brief.get(trouble.get(job.id) or 0),
            usual.get(job.id),
            job.pause(now),
            job.next_run is not None and job.next_run < now - LATE_AFTER,
        )
        for job in page.jobs
    ]


def _groups(listed: list[ListedJob], order: JobOrder) -> tuple[JobGroup, ...]:
    if order.sort is not JobSort.NAME:
        return (JobGroup(None, tuple(listed)),) if listed else ()
    groups = groupby(listed, key=lambda each: each.job.category)
    return tuple(JobGroup(category, tuple(jobs)) for category, jobs in groups)


def _category_names(connection: Connection) -> tuple[str, ...] | None:
    query = select(categories.c.name).where(categories.c.name.is_not(None)).order_by(categories.c.name)
    return _choices(list(connection.scalars(query.limit(MOST_CHOICES + 1))))


def _values(connection: Connection, facet: Facet) -> tuple[str, ...] | None:
    # Written so that MariaDB jumps from one value to the next; for DISTINCT it walks over all jobs.
    columns = job_facets.c
    query = select(columns.value, func.min(columns.job_id)).where(columns.facet == facet.value)
    query = query.group_by(columns.facet, columns.value).order_by(columns.facet, columns.value)
    return _choices(list(connection.scalars(query.limit(MOST_CHOICES + 1))))


def _choices(names: list[str]) -> tuple[str, ...] | None:
    return tuple(names) if len(names) <= MOST_CHOICES else None
