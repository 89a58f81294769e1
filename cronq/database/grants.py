"""Grants that reached no one."""

from sqlalchemy import Connection

from cronq.database.batch import RunBatch
from cronq.domain import reports
from cronq.domain.messages import ResultMessage


def take_back(connection: Connection, request: ResultMessage) -> bool:
    """Queue a run again whose grant could not be delivered, as whoever asked for it is gone.

    Gives False, and changes nothing, when the same runner has asked again meanwhile (and may have had its
    answer), or when anything else has happened to the run since.
    """
    batch = RunBatch(connection, [request.run_id])
    run = batch.runs.get(request.run_id)
    if run is None:
        return False
    moved = reports.take_back(run, request)
    if moved == run:
        return False
    batch.move(moved)
    batch.forget_start(run.run_id)
    batch.write()
    return True
