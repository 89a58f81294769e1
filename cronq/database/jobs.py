"""What people ask of a single job."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from cronq.database.changes import Change, record_change
from cronq.database.gateway import now as database_now
from cronq.database.tables import categories, jobs
from cronq.domain.access import SHELL, Actor
from cronq.domain.changes import Action, State, job_title


def request_run(connection: Connection, job_id: int, by: Actor = SHELL) -> datetime | None:
    """Ask for one run by hand; asked again before an injector has seen it, it is still one.

    Gives the time of the request, or None when there is no such job (any more).
    """
    found = select(jobs.c.id).where(jobs.c.id == job_id, jobs.c.removed_at.is_(None))
    if connection.execute(found.with_for_update()).first() is None:
        return None
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(run_now=1))
    record_job_change(connection, by, Action.JOB_RUN, job_id)
    return database_now(connection)


def record_job_change(
    connection: Connection,
    by: Actor,
    action: Action,
    job_id: int,
    before: State | None = None,
    after: State | None = None,
) -> None:
    """Write down what somebody has done to a job."""
    titled = select(categories.c.name, jobs.c.name).select_from(jobs.outerjoin(categories))
    row = connection.execute(titled.where(jobs.c.id == job_id)).first()
    subject = job_title(row[0], row[1] or "") if row else f"job {job_id}"
    record_change(connection, by, Change(action, subject, before, after, job_id))
