"""Killing a run, wherever it is."""

from dataclasses import dataclass

from sqlalchemy import Connection

from cronq.database.batch import RunBatch
from cronq.database.jobs import record_job_change
from cronq.database.orders import order_kill
from cronq.domain.access import SHELL, Actor
from cronq.domain.changes import Action
from cronq.domain.kills import Kill, call_off, judge_kill
from cronq.domain.reports import RunState


@dataclass(frozen=True, slots=True)
class KilledRun:
    """What became of the wish to kill a run."""

    kill: Kill
    #: As it is now.
    run: RunState


def kill_run(connection: Connection, run_id: str, reason: str, by: Actor = SHELL) -> KilledRun | None:
    """Call a run off that has not started, or have the command of one that has ended by its runner.

    Gives None when there is no such run. Asked again, it is still one kill.
    """
    batch = RunBatch(connection, [run_id])
    run = batch.runs.get(run_id)
    if run is None:
        return None
    kill = judge_kill(run)
    done = False
    if kill is Kill.CALLED_OFF:
        batch.move(call_off(run, reason, batch.now))
        batch.write()
        done = True
    elif kill is Kill.ORDERED and run.runner is not None:
        done = order_kill(connection, run.runner, run_id, reason)
    if done:
        said = {"run": run_id, "reason": reason}
        record_job_change(connection, by, Action.RUN_KILLED, run.job_id, after=said)
    return KilledRun(kill, batch.runs[run_id])
