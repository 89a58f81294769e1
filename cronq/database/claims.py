"""Claiming what is due: of any number of injectors, one gets each job."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from cronq.database.books import close_books, move_on
from cronq.database.definitions import define_jobs
from cronq.database.gateway import now as database_now
from cronq.database.stored import StoredJob, locked_jobs, stored_jobs
from cronq.database.tables import jobs
from cronq.domain.jobs import Publication

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
    urgent = _locked(connection, _urgent(now).limit(limit))
    # Two queries: with OR in one, MariaDB merges two indexes and sorts the lot.
    by_hand = _locked(connection, stored_jobs().where(jobs.c.run_now == 1).order_by(jobs.c.id).limit(limit))
    by_time = _locked(connection, _due(now).order_by(jobs.c.next_run).limit(limit))
    due = {job.id: job for job in urgent + by_hand + by_time}
    defined = define_jobs(connection, list(due.values()), now)
    closing = close_books(connection, defined, now, PUBLISH_WITHIN, MOST_ROWS)
    move_on(connection, closing, locked_by=injector[:64])
    return Claim(
        tuple(closing.publications),
        full=limit in {len(urgent), len(by_hand), len(by_time)} or closing.jobs < len(defined),
        unreadable=tuple(closing.unreadable),
    )


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
