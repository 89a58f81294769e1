"""Claiming what is due: of any number of injectors, one gets each job."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update
from sqlalchemy.exc import DataError, IntegrityError
from twisted.logger import Logger

from cronq.database.books import close_books, move_on
from cronq.database.definitions import define_jobs
from cronq.database.gateway import now as database_now
from cronq.database.stored import StoredJob, locked_jobs, stored_jobs
from cronq.database.tables import jobs
from cronq.domain.jobs import Publication

log = Logger()

#: How long an injector has to publish what it claimed, until any other does it (seconds).
PUBLISH_WITHIN = 10
#: A transaction that has made so many rows leaves the jobs that are left to the next one.
MOST_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class Claim:
    """What one transaction of an injector took."""

    #: Recorded runs, to be published now.
    publications: tuple[Publication, ...]
    #: Whether as much was taken as was asked for, so that more may be due.
    full: bool
    #: Ids of jobs whose stored schedule cannot be read, and why; they are left alone from now on.
    unreadable: tuple[tuple[int, str], ...]


def claim_due(connection: Connection, limit: int, injector: str) -> Claim:
    """Claim at most `limit` jobs that are due, and as many that are wanted by hand; record their runs.

    Those with a priority come first, as many again. Rows that another injector is working on are passed
    over; it sees to them.
    """
    now = database_now(connection)
    due, full = _due_jobs(connection, limit, now)
    closing = close_books(connection, due, now, PUBLISH_WITHIN, MOST_ROWS)
    move_on(connection, closing, locked_by=injector[:64])
    return Claim(
        tuple(closing.publications),
        full=full or closing.jobs < len(due),
        unreadable=tuple(closing.unreadable),
    )


def claim_singly(connection: Connection, limit: int, injector: str) -> Claim:
    """Claim as `claim_due` does, after the database has refused what that was to write.

    It takes longer: what is written for one job is refused for that job alone, which has no next run then.
    """
    now = database_now(connection)
    due, full = _due_jobs(connection, limit, now)
    publications: list[Publication] = []
    unreadable: list[tuple[int, str]] = []
    for job in due:
        try:
            with connection.begin_nested():
                closing = close_books(connection, [job], now, PUBLISH_WITHIN)
                move_on(connection, closing, locked_by=injector[:64])
        except (DataError, IntegrityError):
            log.failure(
                "job {job_id}, {name}: the database refuses its runs; it has no next run until it is changed",
                job_id=job.id,
                name=job.name,
            )
            connection.execute(update(jobs).where(jobs.c.id == job.id).values(next_run=None, run_now=0))
        else:
            publications += closing.publications
            unreadable += closing.unreadable
    return Claim(tuple(publications), full, tuple(unreadable))


def _due_jobs(connection: Connection, limit: int, now: datetime) -> tuple[list[StoredJob], bool]:
    """The jobs that are due, locked and defined, and whether as many were found as were asked for."""
    urgent = _locked(connection, _urgent(now).limit(limit))
    # Two queries: with OR in one, MariaDB merges two indexes and sorts the lot.
    by_hand = _locked(connection, stored_jobs().where(jobs.c.run_now == 1).order_by(jobs.c.id).limit(limit))
    by_time = _locked(connection, _due(now).order_by(jobs.c.next_run).limit(limit))
    due = {job.id: job for job in urgent + by_hand + by_time}
    full = limit in {len(urgent), len(by_hand), len(by_time)}
    return define_jobs(connection, list(due.values()), now), full


def seconds_until_due(connection: Connection) -> float | None:
    """How long until a job is due, not below 0; None when none ever is."""
    if connection.execute(select(jobs.c.id).where(jobs.c.run_now == 1).limit(1)).first():
        return 0.0
    next_run: datetime | None = connection.execute(select(func.min(jobs.c.next_run))).scalar()
    if next_run is None:
        return None
    return max(0.0, (next_run - database_now(connection)).total_seconds())


def _due(now: datetime) -> Select[Any]:
    return stored_jobs().where(jobs.c.next_run <= now)


def _urgent(now: datetime) -> Select[Any]:
    # By the index over priorities, which no claim changes.
    return _due(now).where(jobs.c.priority > 0).order_by(jobs.c.priority.desc(), jobs.c.next_run)


def _locked(connection: Connection, query: Select[Any]) -> list[StoredJob]:
    return locked_jobs(connection, query, skip_locked=True)
