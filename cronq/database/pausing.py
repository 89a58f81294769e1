"""What people ask of the slots of a job: to pause it, to go on, to skip the next one."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, update

from cronq.database.books import close_books, move_on
from cronq.database.definitions import define_jobs
from cronq.database.gateway import now as database_now
from cronq.database.jobs import record_job_change
from cronq.database.stored import StoredJob, locked_jobs, stored_jobs
from cronq.database.tables import jobs
from cronq.domain.access import SHELL, Actor
from cronq.domain.changes import Action, State
from cronq.domain.pauses import FOR_EVER


@dataclass(frozen=True, slots=True)
class Skip:
    """What came of asking for the next slot of a job to be skipped."""

    #: The slot that is skipped; None: there is none to come.
    slot: datetime | None
    #: Whether it was to be skipped before.
    again: bool = False


def pause_job(
    connection: Connection, job_id: int, until: datetime | None, reason: str, by: Actor = SHELL
) -> bool | None:
    """Skip the slots from now on and before `until`, or for ever; the runs by hand go on.

    What is due by now is accounted for as it was before. Gives whether that changed anything; None when there
    is no such job (any more).
    """
    job = _settled(connection, job_id)
    if job is None:
        return None
    pause = {"paused_until": until or FOR_EVER, "pause_reason": reason[:1000] or None}
    if pause == {"paused_until": job.paused_until, "pause_reason": job.pause_reason}:
        return False
    before = _pause_of(job, database_now(connection))
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(pause))
    after = {"paused_until": _text(until), "reason": pause["pause_reason"]}
    record_job_change(connection, by, Action.JOB_PAUSED, job_id, before, after)
    return True


def resume_job(connection: Connection, job_id: int, by: Actor = SHELL) -> bool | None:
    """End what `pause_job` has begun. Gives whether there was anything to end; None as `pause_job`."""
    job = _settled(connection, job_id)
    if job is None:
        return None
    before = _pause_of(job, database_now(connection))
    if before is None:
        return False
    resumed = {"paused_until": None, "pause_reason": None}
    connection.execute(update(jobs).where(jobs.c.id == job_id).values(resumed))
    record_job_change(connection, by, Action.JOB_RESUMED, job_id, before)
    return True


def skip_next(connection: Connection, job_id: int, by: Actor = SHELL) -> Skip | None:
    """Skip the next slot, once, however often it is asked for; None: there is no such job (any more)."""
    job = _settled(connection, job_id)
    if job is None:
        return None
    if job.next_run is None or job.skip_slot == job.next_run:
        return Skip(job.next_run, again=job.next_run is not None)
    _change_skip(connection, job, job.next_run, by)
    return Skip(job.next_run)


def unskip_next(connection: Connection, job_id: int, by: Actor = SHELL) -> bool | None:
    """Let the next slot run after all. Gives whether it was to be skipped; None as `pause_job`."""
    job = _settled(connection, job_id)
    if job is None:
        return None
    if job.skip_slot is None:
        return False
    _change_skip(connection, job, None, by)
    return True


def _change_skip(connection: Connection, job: StoredJob, slot: datetime | None, by: Actor) -> None:
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(skip_slot=slot))
    before, after = {"skip_slot": _text(job.skip_slot)}, {"skip_slot": _text(slot)}
    record_job_change(connection, by, Action.JOB_SKIPS, job.id, before, after)


def _pause_of(job: StoredJob, now: datetime) -> State | None:
    """The pause of people that is in force, for the record."""
    if job.paused_until is None or job.paused_until <= now:
        return None
    until = None if job.paused_until >= FOR_EVER else job.paused_until
    return {"paused_until": _text(until), "reason": job.pause_reason}


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.isoformat()}Z"


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
