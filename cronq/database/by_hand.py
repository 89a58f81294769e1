"""Runs that people ask for: each is recorded at once, and published by any injector."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from cronq.database.admissions import Admissions
from cronq.database.definitions import define_jobs
from cronq.database.gateway import now as database_now
from cronq.database.jobs import record_job_change
from cronq.database.rows import queued_row
from cronq.database.stored import locked_jobs, stored_jobs
from cronq.database.tables import jobs, runs
from cronq.domain.access import SHELL, Actor
from cronq.domain.changes import Action
from cronq.domain.requests import RunRequest
from cronq.domain.rules import decode_rules
from cronq.domain.runs import new_run_id


@dataclass(frozen=True, slots=True)
class RequestedRun:
    """A run that was recorded because somebody asked for it."""

    run_id: str
    asked_at: datetime


def make_run(
    connection: Connection, job_id: int, request: RunRequest, by: Actor = SHELL
) -> RequestedRun | None:
    """Record one run of a job, besides its schedule; asked several times, it is several runs.

    As any other run it may have to wait for others of its job, or be skipped because of them.

    Gives None when there is no such job (any more).
    """
    wanted = stored_jobs().where(jobs.c.id == job_id, jobs.c.removed_at.is_(None))
    found = locked_jobs(connection, wanted)
    if not found:
        return None
    now = database_now(connection)
    (job,) = define_jobs(connection, found, now)
    run_id = new_run_id(now)
    row = queued_row(job, None, now, publish_after=now) | {"run_id": run_id, "request": request.encode()}
    admissions = Admissions(connection, {job.id: decode_rules(job.rules)} if job.rules else {}, now)
    admissions.admit([row])
    admissions.write()
    connection.execute(insert(runs).values(row))
    asked = {"run": run_id} | request.as_json()
    record_job_change(connection, by, Action.JOB_RUN, job_id, after=asked)
    return RequestedRun(run_id, now)
