"""What people ask of the slots of a job: to pause it, to go on, to skip the next one."""

from datetime import datetime

from sqlalchemy import Connection, update

from cronq.database.books import close_books, move_on
from cronq.database.definitions import define_jobs
from cronq.database.gateway import now as database_now
from cronq.database.jobs import record_job_change
from cronq.database.stored import StoredJob, locked_jobs, stored_jobs
from cronq.database.tables import jobs
from cronq.domain.access import SHELL, Actor
from cronq.domain.changes import Action
from cronq.domain.pauses import FOR_EVER


def pause_job(
    connection: Connection, job_id: int, until: datetime | None, reason: str, by: Actor = SHELL
) -> bool:
    """Skip the slots from now on and before `until`, or for ever; the runs by hand go on.

    What is due by now is accounted for as it was before. Gives False when there is no such job (any more).
    """
    job = _settled(connection, job_id)
    if job is None:
        return False
    pause = {"paused_until": until or FOR_EVER, "pause_reason": reason[:1000] or None}
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(pause))
    said = {"paused_until": until and f"{until.isoformat()}Z", "reason": reason or None}
    record_job_change(connection, by, Action.JOB_PAUSED, job_id, after=said)
    return True


def resume_job(connection: Connection, job_id: int, by: Actor = SHELL) -> bool:
    """End what `pause_job` has begun; False when there is no such job (any more)."""
    job = _settled(connection, job_id)
    if job is None:
        return False
    resumed = {"paused_until": None, "pause_reason": None}
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(resumed))
    record_job_change(connection, by, Action.JOB_RESUMED, job_id)
    return True


def skip_next(connection: Connection, job_id: int, by: Actor = SHELL) -> datetime | None:
    """Skip the next slot, once, however often it is asked for. Gives it, or None: there is none."""
    job = _settled(connection, job_id)
    if job is None:
        return None
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(skip_slot=job.next_run))
    if job.next_run is not None:
        said = {"skip_slot": f"{job.next_run.isoformat()}Z"}
        record_job_change(connection, by, Action.JOB_SKIPS, job_id, after=said)
    return job.next_run


def unskip_next(connection: Connection, job_id: int, by: Actor = SHELL) -> bool:
    """Let the next slot run after all; False when there is no such job (any more)."""
    changed = update(jobs).where(jobs.c.id == job_id, jobs.c.removed_at.is_(None)).values(skip_slot=None)
    if not connection.execute(changed).rowcount:
        return False
    record_job_change(connection, by, Action.JOB_SKIPS, job_id, after={"skip_slot": None})
    return True


def _settled(connection: Connection, job_id: int) -> StoredJob | None:
    """The job, locked, with everything accounted for that is due by now."""
    mine = stored_jobs().where(jobs.c.id == job_id, jobs.c.removed_at.is_(None))
    found = locked_jobs(connection, mine)
    now = database_now(connection)
    due = define_jobs(connection, [job for job in found if job.is_due(now)], now)
    if due:
        move_on(connection, close_books(connection, due, now, publish_within=0))
        found = locked_jobs(connection, mine)
    return found[0] if found else None
