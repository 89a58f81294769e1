"""Asking for a run by hand, or for the end of one, from a page or from a program."""

from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote

from cronq.database.by_hand import RequestedRun, make_run
from cronq.database.gateway import Database
from cronq.database.jobs import request_run
from cronq.database.kills import KilledRun, kill_run
from cronq.database.reading.history import find_run
from cronq.database.reading.records import find_job
from cronq.database.reading.runs import RunRecord
from cronq.domain.access import Caller, Role
from cronq.domain.asking import read_asking
from cronq.domain.document_values import shown
from cronq.domain.kills import Kill, kill_reason
from cronq.domain.requests import RunRequest
from cronq.web.actions.asking import asked_run, said
from cronq.web.http.errors import Conflict, NotFound
from cronq.web.http.exchange import Request
from cronq.web.http.fields import is_run_id
from cronq.web.safety.door import check_category


async def ask_for_run(database: Database, request: Request, job_id: int) -> RequestedRun:
    """Have a job run once; each time that it is asked for is a run of its own.

    Raises `NotFound` when there is no such job, `Refused`, and `Conflict` when it is removed.
    """
    caller = request.caller
    await _check_job(database, caller, job_id)
    asked = asked_run(request)
    asked = replace(asked, by=caller.actor.name or asked.by)
    made = await database.transact(make_run, job_id, asked, caller.actor)
    if made is None:
        raise _removed(job_id)
    return made


async def ask_for_run_again(database: Database, request: Request, run_id: str) -> RequestedRun:
    """Have the job of a run run once more, with the same arguments and variables.

    Raises `NotFound` when there is no such run, `Refused`, and `Conflict` when its job is removed.
    """
    caller = request.caller
    run = await _check_run(database, caller, run_id)
    asking = read_asking(said(request))
    asked = replace(run.asked or RunRequest(), by=caller.actor.name or asking.by, reason=asking.reason)
    made = None if run.job_id is None else await database.transact(make_run, run.job_id, asked, caller.actor)
    if made is None:
        raise Conflict("Its job is removed from its category, so it runs no more.")
    return made


async def want_run(database: Database, caller: Caller, job_id: int) -> datetime:
    """Have a job run once, as scripts for 0.27 ask for it: until an injector has seen it, it is one run.

    Gives the time of the request by the database's clock; raises what `ask_for_run` raises.
    """
    await _check_job(database, caller, job_id)
    asked_at = await database.transact(request_run, job_id, caller.actor)
    if asked_at is None:
        raise _removed(job_id)
    return asked_at


async def ask_for_kill(database: Database, request: Request, run_id: str) -> str:
    """Have a run killed, wherever it is; gives a sentence that says what becomes of it.

    Raises `NotFound` when there is no such run, `Refused`, and `Conflict` when it is too late or cannot be
    reached.
    """
    caller = request.caller
    await _check_run(database, caller, run_id)
    asking = read_asking(said(request))
    reason = kill_reason(caller.actor.name or asking.by, asking.reason)
    killed = await database.transact(kill_run, run_id, reason, caller.actor)
    if killed is None:
        raise _no_such_run(run_id)
    if killed.kill in {Kill.TOO_LATE, Kill.OUT_OF_REACH}:
        raise Conflict(_sentence(killed))
    return _sentence(killed)


async def _check_job(database: Database, caller: Caller, job_id: int) -> None:
    job = await database.read(find_job, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    check_category(caller, Role.OPERATOR, job.category.name if job.category else None)


async def _check_run(database: Database, caller: Caller, run_id: str) -> RunRecord:
    run = await database.read(find_run, run_id) if is_run_id(run_id) else None
    if run is None:
        raise _no_such_run(run_id)
    job = None if run.job_id is None else await database.read(find_job, run.job_id)
    check_category(caller, Role.OPERATOR, job.category.name if job and job.category else None)
    return run


def _removed(job_id: int) -> Conflict:
    return Conflict(f"Job {job_id} is removed from its category, so it runs no more.")


def _no_such_run(run_id: str) -> NotFound:
    known = f"run {run_id}" if is_run_id(run_id) else f"run {shown(unquote(run_id))}"
    return NotFound(f"There is no {known}; it may have been pruned.")


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
