"""Acknowledging the failures of a job: somebody knows of them, until it succeeds again."""

from sqlalchemy import Connection, delete, func, insert, select

from cronq.database.acknowledgement_tables import acknowledgements
from cronq.database.gateway import now as database_now
from cronq.database.jobs import record_job_change
from cronq.database.reading.acknowledgements import acknowledged
from cronq.database.reading.streaks import find_streaks
from cronq.database.tables import jobs, runs
from cronq.domain.access import SHELL, Actor
from cronq.domain.changes import Action


def acknowledge(
    connection: Connection, job_id: int, note: str | None, who: str | None, by: Actor = SHELL
) -> bool | None:
    """Say that somebody knows of what goes wrong with a job; a former note gives way.

    It holds until a run of the job succeeds. Gives False when nothing goes wrong with it, and None when there
    is no such job (any more).
    """
    alive = select(jobs.c.id).where(jobs.c.id == job_id, jobs.c.removed_at.is_(None))
    if connection.scalar(alive.with_for_update()) is None:
        return None
    if not find_streaks(connection, [job_id]):
        return False
    former = acknowledged(connection, [job_id]).get(job_id)
    latest = connection.scalar(select(func.max(runs.c.id)).where(runs.c.job_id == job_id)) or 0
    row = {"job_id": job_id, "run_row": latest, "who": who, "note": note, "at": database_now(connection)}
    connection.execute(delete(acknowledgements).where(acknowledgements.c.job_id == job_id))
    connection.execute(insert(acknowledgements).values(row))
    if former is None or (former.who, former.note) != (who, note):
        before = None if former is None else {"note": former.note}
        record_job_change(connection, by, Action.FAILURE_ACKNOWLEDGED, job_id, before, {"note": note})
    return True


def unacknowledge(connection: Connection, job_id: int, by: Actor = SHELL) -> bool:
    """Take that back; False when there was nothing to take back."""
    former = acknowledged(connection, [job_id]).get(job_id)
    found = delete(acknowledgements).where(acknowledgements.c.job_id == job_id)
    if not connection.execute(found).rowcount or former is None:
        return False
    record_job_change(connection, by, Action.FAILURE_UNACKNOWLEDGED, job_id, before={"note": former.note})
    return True
