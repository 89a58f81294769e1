"""What jobs were called, and what slots they had: that which the rows of the ledger are held against."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from cronq.database.reading.records import find_jobs
from cronq.database.stored import StoredJob, stored_jobs, with_definitions
from cronq.database.tables import definitions, jobs
from cronq.database.terms import term_of
from cronq.domain.auditing import Books
from cronq.domain.findings import JobName
from cronq.domain.timetable import Term, Timetable


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


def _terms(job: StoredJob | None, rows: Sequence[Row[Any]], now: datetime) -> list[Term]:
    terms = [
        term_of(row.schedule, row.anchor, row.interval, row.since, row.until)
        for row in rows
        if row.schedule is not None or row.anchor is not None  # else it had no slots, and ran by hand
    ]
    if job is None or job.removed_at is not None or job.next_run is None or job.defined:
        return terms
    # What an injector will write down as soon as it is due; 0.27, or a person at a prompt, has not.
    since = job.books_closed(now)
    ended = [Term(term.schedule, term.since, min(term.until, since), term.fault) for term in terms]
    return [*ended, term_of(job.schedule_text, job.next_run, job.interval, since, None)]
