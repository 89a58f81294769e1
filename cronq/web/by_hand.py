"""Asking for a run by hand, from a page or from a program."""

from datetime import datetime

from cronq.database.gateway import Database
from cronq.database.jobs import request_run
from cronq.database.reading.records import find_job
from cronq.domain.access import Caller, Role
from cronq.web.door import check_category
from cronq.web.errors import Conflict, NotFound


async def ask_for_run(database: Database, caller: Caller, job_id: int) -> datetime:
    """Ask for one run of a job; gives the time of the request by the database's clock.

    Raises `NotFound` when there is no such job, `Refused`, and `Conflict` when it is removed.
    """
    job = await database.read(find_job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    check_category(caller, Role.OPERATOR, job.category.name if job.category else None)
    asked_at = await database.transact(request_run, job_id, caller.actor)
    if asked_at is None:
        raise Conflict(f"Job {job_id} is removed from its category, so it runs no more.")
    return asked_at
