"""Claiming what is due: of any number of injectors, one gets each job."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

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

    Rows that another injector is working on are passed over; it sees to them.
    """
    now = database_now(connection)
    by_hand = _locked(connection, limit, wanted=True, now=now)
    by_time = _locked(connection, limit, wanted=False, now=now)
    due = {job.id: job for job in by_hand + by_time}
    defined = define_jobs(connection, list(due.values()), now)
    closing = close_books(connection, defined, now, PUBLISH_WITHIN, MOST_ROWS)
    move_on(connection, closing, locked_by=injector[:64])
    return Claim(
        tuple(closing.publications),
        full=limit in {len(by_hand), len(by_time)} or closing.jobs < len(defined),
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


def _locked(connection: Connection, limit: int, *, wanted: bool, now: datetime) -> list[StoredJob]:
    # Two queries: with OR in one, MariaDB merges two indexes and sorts the lot.
    query = stored_jobs().limit(limit)
    if wanted:
        query = query.where(jobs.c.run_now == 1).order_by(jobs.c.id)
    else:
        query = query.where(jobs.c.next_run <= now).order_by(jobs.c.next_run)
    return locked_jobs(connection, query, skip_locked=True)
