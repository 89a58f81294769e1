"""Asking for a run by hand, or for the end of one, from a page or from a program."""

from datetime import datetime
from typing import NoReturn

from cronq.database.by_hand import RequestedRun, make_run
from cronq.database.gateway import Database
from cronq.database.jobs import request_run
from cronq.database.kills import KilledRun, kill_run
from cronq.database.reading.records import find_job
from cronq.domain.asking import Asking
from cronq.domain.kills import Kill, kill_reason
from cronq.domain.requests import RunRequest
from cronq.web.errors import Conflict, NotFound
from cronq.web.fields import is_run_id


async def ask_for_run(database: Database, job_id: int, request: RunRequest) -> RequestedRun:
    """Have a job run once; each time that it is asked for is a run of its own.

    Raises `NotFound` when there is no such job, and `Conflict` when it is removed.
    """
    made = await database.transact(make_run, job_id, request)
    return made or await _explain(database, job_id)


async def want_run(database: Database, job_id: int) -> datetime:
    """Have a job run once, as scripts for 0.27 ask for it: until an injector has seen it, it is one run.

    Gives the time of the request by the database's clock; raises what `ask_for_run` raises.
    """
    asked_at = await database.transact(request_run, job_id)
    return asked_at or await _explain(database, job_id)


async def _explain(database: Database, job_id: int) -> NoReturn:
    if await database.read(find_job, job_id) is None:
        raise NotFound(f"There is no job {job_id}.")
    raise Conflict(f"Job {job_id} is removed from its category, so it runs no more.")


async def ask_for_kill(database: Database, run_id: str, asking: Asking) -> str:
    """Have a run killed, wherever it is; gives a sentence that says what becomes of it.

    Raises `NotFound` when there is no such run, and `Conflict` when it is too late or cannot be reached.
    """
    reason = kill_reason(asking.by, asking.reason)
    killed = await database.transact(kill_run, run_id, reason) if is_run_id(run_id) else None
    if killed is None:
        raise NotFound(f"There is no run {run_id}; it may have been pruned.")
    if killed.kill in {Kill.TOO_LATE, Kill.OUT_OF_REACH}:
        raise Conflict(_sentence(killed))
    return _sentence(killed)


def _sentence(killed: KilledRun) -> str:
    run = killed.run
    match killed.kill:
        case Kill.CALLED_OFF:
            return f"Run {run.run_id} is called off; it had not started."
        case Kill.ORDERED:
            return f"Run {run.run_id} is being killed; its runner on {run.host} is told."
        case Kill.TOO_LATE:
            return f"Run {run.run_id} is over already: it is {run.status}."
        case Kill.OUT_OF_REACH:
            return f"Run {run.run_id} is on {run.host}, where a runner of cronq 0.27 takes no orders."
