"""What people ask of a single job."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from cronq.database.gateway import now as database_now
from cronq.database.tables import jobs


def request_run(connection: Connection, job_id: int) -> datetime | None:
    """Ask for one run by hand; asked again before an injector has seen it, it is still one.

    Gives the time of the request, or None when there is no such job (any more).
    """
    found = select(jobs.c.id).where(jobs.c.id == job_id, jobs.c.removed_at.is_(None)).with_for_update()
    if connection.execute(found).first() is None:
        return None
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(run_now=1))
    return database_now(connection)
