"""The books of jobs: what slots they had, and page by page the rows of the ledger that account for them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, or_, select

from cronq.database.reading.records import find_jobs
from cronq.database.stored import StoredJob, read_schedule, stored_jobs, with_definitions
from cronq.database.tables import definitions, events, jobs, runs
from cronq.domain.auditing import TICK, AuditedRun, Books
from cronq.domain.errors import BadSchedule
from cronq.domain.findings import JobName
from cronq.domain.messages import STARTED_TWICE
from cronq.domain.runs import Status
from cronq.domain.timetable import Term, Timetable

#: Rows on a page.
PAGE = 1000

# Worked out by the database: most of the time of an audit goes into making values of what it sends.
_STARTED = or_(runs.c.granted_at.is_not(None), runs.c.started_at.is_not(None))
_OPEN_SINCE = case(
    (runs.c.status == Status.QUEUED.value, runs.c.queued_at),
    (
        runs.c.status == Status.RUNNING.value,
        func.coalesce(runs.c.granted_at, runs.c.started_at, runs.c.queued_at),
    ),
)
_STARTED_TWICE = and_(events.c.run_id == runs.c.run_id, events.c.type == STARTED_TWICE, events.c.once == 1)
_SECOND_HOST = case((events.c.id.is_not(None), func.coalesce(events.c.host, "an unknown host")))


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Rows of a job in the order of slots and attempts, with all attempts of each slot."""

    rows: Sequence[AuditedRun]
    #: Whether there are no more after these.
    last: bool


def next_job_ids(connection: Connection, after: int, count: int) -> list[int]:
    """The next ids of jobs that have slots, or rows in the ledger, also of jobs that are gone."""
    found: list[int] = []
    while len(found) < count:
        # Three dives into indexes; DISTINCT would walk over all runs.
        columns = (jobs.c.id, definitions.c.job_id, runs.c.job_id)
        ends = [select(func.min(each)).where(each > after).scalar_subquery() for each in columns]
        ids = [each for each in connection.execute(select(*ends)).one() if each is not None]
        if not ids:
            break
        after = min(ids)
        found.append(after)
    return found


def job_names(connection: Connection, job_ids: Collection[int]) -> Mapping[int, JobName]:
    """What these jobs are called, by id."""
    names = {job_id: JobName(job_id) for job_id in job_ids}
    for job in find_jobs(connection, job_ids).values():
        category = None if job.category is None else job.category.name
        names[job.id] = JobName(job.id, category, job.name)
    return names


def read_books(
    connection: Connection, job_ids: Sequence[int], now: datetime, pruned_until: datetime | None
) -> Mapping[int, Books]:
    """What the rows of these jobs are to be held against, by id."""
    stored = connection.execute(stored_jobs().where(jobs.c.id.in_(job_ids)))
    found = {job.id: job for job in with_definitions(connection, [StoredJob(*row) for row in stored])}
    mine = select(definitions).where(definitions.c.job_id.in_(job_ids)).order_by(definitions.c.id)
    defined = defaultdict(list)
    for row in connection.execute(mine):
        defined[row.job_id].append(row)
    return {
        job_id: Books(
            Timetable(_terms(found.get(job_id), defined[job_id], now)),
            job.books_closed(now) if (job := found.get(job_id)) else None,
            now,
            pruned_until,
        )
        for job_id in job_ids
    }


def first_page(connection: Connection, job_id: int, since: datetime | None, until: datetime) -> LedgerPage:
    """The rows with slots from `since` to `until`, and one before that may reach into that time."""
    if since is None:
        return _page(connection, runs.c.job_id == job_id, runs.c.slot.is_not(None), runs.c.slot <= until)
    before = select(func.max(runs.c.slot)).where(runs.c.job_id == job_id, runs.c.slot <= since)
    start = connection.scalar(before)
    return next_page(connection, job_id, since if start is None else start - TICK, until)


def next_page(connection: Connection, job_id: int, after: datetime, until: datetime) -> LedgerPage:
    """The rows with `after` < slot <= `until`, as many as are on a page."""
    return _page(connection, runs.c.job_id == job_id, runs.c.slot > after, runs.c.slot <= until)


def select_audited() -> Select[Any]:
    """Selects what makes up an `AuditedRun`."""
    return select(
        runs.c.run_id, runs.c.job_id, runs.c.status, runs.c.attempt, runs.c.slot, runs.c.last_slot,
        runs.c.slots, _STARTED, _OPEN_SINCE, _SECOND_HOST,
    ).select_from(runs.outerjoin(events, _STARTED_TWICE))  # fmt: skip


def audited(row: Sequence[Any]) -> AuditedRun:
    """The run of a row that `select_audited` has found."""
    run_id, job_id, status, *rest = row
    return AuditedRun(run_id, job_id, Status(status), *rest)


def _page(connection: Connection, *which: ColumnElement[bool]) -> LedgerPage:
    query = select_audited().where(*which).order_by(runs.c.slot, runs.c.attempt)
    found = [audited(row) for row in connection.execute(query.limit(PAGE)).all()]
    if len(found) < PAGE:
        return LedgerPage(found, last=True)
    # The attempts of the last slot may go on, so they are left to the next page.
    end = found[-1].slot
    whole = [run for run in found if run.slot != end]
    if whole:
        return LedgerPage(whole, last=False)
    rows = connection.execute(query.where(runs.c.slot == end))
    return LedgerPage([audited(row) for row in rows], last=False)


def _terms(job: StoredJob | None, rows: Sequence[Row[Any]], now: datetime) -> list[Term]:
    terms = [
        _term(row.schedule, row.anchor, row.interval, row.since, row.until)
        for row in rows
        if row.schedule is not None or row.anchor is not None  # else it had no slots, and ran by hand
    ]
    if job is None or job.removed_at is not None or job.next_run is None or job.defined:
        return terms
    # What an injector will write down as soon as it is due; 0.27, or a person at a prompt, has not.
    since = job.books_closed(now)
    ended = [Term(term.schedule, term.since, min(term.until, since), term.fault) for term in terms]
    return [*ended, _term(job.schedule_text, job.next_run, job.interval, since, None)]


def _term(
    text: str | None,
    anchor: datetime | None,
    interval: timedelta | None,
    since: datetime,
    until: datetime | None,
) -> Term:
    until = until or datetime.max
    try:
        return Term(read_schedule(text, anchor, interval), since, until)
    except BadSchedule as error:
        return Term(None, since, until, str(error))
