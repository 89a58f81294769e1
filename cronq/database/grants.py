"""Grants that reached no one."""

from sqlalchemy import Connection, delete, update

from cronq.database.gateway import now as database_now
from cronq.database.tables import events, runs
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.runs import Status


def take_back(connection: Connection, request: ResultMessage) -> bool:
    """Queue a run again whose grant could not be delivered, as whoever asked for it is gone.

    Gives False, and changes nothing, when the same runner has asked again meanwhile (and may have had its
    answer), or when anything else has happened to the run since.
    """
    granted_to_this_request = (
        (runs.c.run_id == request.run_id)
        & (runs.c.status == Status.RUNNING.value)
        & (runs.c.token == request.token)
        & (runs.c.started_at == request.start_time)
    )
    queued = {
        "status": Status.QUEUED.value,
        "token": None,
        "runner": None,
        "host": None,
        "granted_at": None,
        "started_at": None,
        "publish_after": database_now(connection),
    }
    if not connection.execute(update(runs).where(granted_to_this_request).values(queued)).rowcount:
        return False
    announced = (events.c.run_id == request.run_id) & (events.c.type == Report.STARTING.value)
    connection.execute(delete(events).where(announced, events.c.once == 1))
    return True
