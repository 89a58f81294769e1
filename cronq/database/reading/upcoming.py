"""What is to come: the jobs that are due next, and the schedules of all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from cronq.database.gateway import now as database_now
from cronq.database.reading.categories import list_categories
from cronq.database.reading.records import JobRecord, job_records, select_jobs
from cronq.database.reading.usual import usual_durations
from cronq.database.tables import categories, jobs
from cronq.database.usual_tables import usual_durations as usual
from cronq.domain.pauses import pause_of
from cronq.domain.rules import decode_rules
from cronq.domain.usual import UsualDuration

#: So many jobs are looked at one by one, those that are due first.
MOST_APART = 2_000

_COMING = and_(jobs.c.removed_at.is_(None), jobs.c.next_run.is_not(None))


@dataclass(frozen=True, slots=True)
class ScheduledJobs:
    """How many jobs run by one schedule, and how long their runs take."""

    #: None for jobs that 0.27 stored: of them `next_run` and `interval` tell.
    text: str | None
    next_run: datetime
    interval: timedelta | None
    count: int
    #: Seconds; None when none of them has ever succeeded.
    median: float | None
    #: Until then they are paused.
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Scheduled:
    """All that is to run."""

    now: datetime
    jobs: tuple[ScheduledJobs, ...]


@dataclass(frozen=True, slots=True)
class Coming:
    """The jobs that are due next, in the order in which they are."""

    now: datetime
    jobs: tuple[JobRecord, ...]
    usual: dict[int, UsualDuration]
    #: When the first job is due that is not among them; None when all are.
    beyond: datetime | None
    categories: tuple[str, ...]


def read_coming(connection: Connection, category: str, limit: int) -> Coming:
    """The jobs that are due next, at most `limit` of them, of a category or (`""`) of all."""
    query = select_jobs().where(_COMING, *_of_category(category))
    found = job_records(connection, query.order_by(jobs.c.next_run, jobs.c.id).limit(limit + 1))
    shown = tuple(found[:limit])
    return Coming(
        database_now(connection),
        shown,
        dict(usual_durations(connection, [job.id for job in shown])),
        found[limit].next_run if len(found) > limit else None,
        tuple(each.name for each in list_categories(connection, None) if each.name),
    )


def read_scheduled(connection: Connection, category: str) -> Scheduled:
    """By which schedules all jobs run that are to run at all, of a category or (`""`) of all."""
    now = database_now(connection)
    together = _together(connection, category, now)
    return Scheduled(now, (*together, *_one_by_one(connection, category, now)))


def _of_category(name: str) -> list[ColumnElement[bool]]:
    wanted = select(categories.c.id).where(categories.c.name == name).scalar_subquery()
    return [jobs.c.category_id == wanted] if name else []


def _apart(now: datetime) -> ColumnElement[bool]:
    """Whether a job is looked at by itself: 0.27 stored it, or it may be paused."""
    conditions = (
        jobs.c.schedule.is_(None),
        jobs.c.paused_until > now,
        jobs.c.rules.contains('"enabled"'),
        jobs.c.rules.contains('"paused_until"'),
    )
    return or_(*(func.coalesce(condition, False) for condition in conditions))


def _together(connection: Connection, category: str, now: datetime) -> list[ScheduledJobs]:
    """All jobs whose schedules have the same text, counted as one."""
    columns = jobs.c.schedule, func.min(jobs.c.next_run), func.count(), func.avg(usual.c.median)
    joined = jobs.outerjoin(usual, usual.c.job_id == jobs.c.id)
    query = select(*columns).select_from(joined).where(_COMING, ~_apart(now), *_of_category(category))
    return [
        ScheduledJobs(row[0], row[1], None, row[2], row[3])
        for row in connection.execute(query.group_by(jobs.c.schedule))
    ]


def _one_by_one(connection: Connection, category: str, now: datetime) -> Iterator[ScheduledJobs]:
    columns = jobs.c.schedule, jobs.c.next_run, jobs.c.interval, jobs.c.rules, jobs.c.paused_until
    joined = jobs.outerjoin(usual, usual.c.job_id == jobs.c.id)
    query = select(*columns, usual.c.median).select_from(joined)
    query = query.where(_COMING, _apart(now), *_of_category(category)).order_by(jobs.c.next_run)
    for row in connection.execute(query.limit(MOST_APART)):
        pause = pause_of(decode_rules(row.rules), row.paused_until, None)
        end = None if pause is None else pause.end
        yield ScheduledJobs(row.schedule, row.next_run, row.interval, 1, row.median, end)
