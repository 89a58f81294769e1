"""Giving runs up for lost, and winning them back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from cronq.database.batch import RunBatch
from cronq.database.tables import runners, runs
from cronq.domain.hearing import GrantedRun
from cronq.domain.heartbeats import ALIVE
from cronq.domain.messages import Report
from cronq.domain.reports import Loss, give_up, win_back
from cronq.domain.runs import Status


def granted_runs(connection: Connection) -> list[GrantedRun]:
    """What is running on runners that report themselves. (Those of 0.27 have no id.)"""
    query = select(runs.c.run_id, runs.c.runner, runs.c.started_at).where(
        runs.c.status == Status.RUNNING.value, runs.c.runner.is_not(None)
    )
    return [GrantedRun(*row) for row in connection.execute(query)]


def lose_runs(connection: Connection, losses: Sequence[Loss]) -> list[Loss]:
    """Give these runs up; gives those that it was true for, since more may have been heard meanwhile."""
    batch = RunBatch(connection, [loss.run_id for loss in losses])
    alive = _alive(connection, {loss.runner for loss in losses if loss.abandoned})
    lost = []
    for loss in losses:
        run = batch.runs.get(loss.run_id)
        if run is None or (loss.abandoned and loss.runner in alive):
            continue
        moved = give_up(run, loss, batch.now)
        if moved != run:
            batch.move(moved)
            batch.note(moved, Report.LOST.value, batch.now, moved.host)
            lost.append(loss)
    batch.write()
    return lost


def win_back_runs(connection: Connection, holders: Mapping[str, tuple[str, datetime]]) -> list[str]:
    """Runs that are held after all: each maps to its runner, and when that one said so. They go on, if they
    still can.

    Gives those for which it is too late, as another attempt has been made.
    """
    batch = RunBatch(connection, holders.keys())
    too_late = []
    for run in list(batch.runs.values()):
        runner, said_at = holders[run.run_id]
        batch.move(win_back(run, runner, said_at))
        if run.superseded and run.abandoned and run.runner == runner:
            too_late.append(run.run_id)
    batch.write()
    return too_late


def _alive(connection: Connection, names: Collection[str]) -> set[str]:
    """Whom another results daemon may hear."""
    if not names:
        return set()
    return set(
        connection.scalars(select(runners.c.id).where(runners.c.id.in_(names), runners.c.status.in_(ALIVE)))
    )
