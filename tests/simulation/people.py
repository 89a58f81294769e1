"""What people do in a history: to its jobs and to their runs. Each tells in words what it was."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cronq.database.backfilling import Wanted, begin_backfill, count_slots, stop_backfill
from cronq.database.by_hand import make_run
from cronq.database.jobs import request_run
from cronq.database.kills import kill_run as kill
from cronq.database.pausing import pause_job, resume_job, skip_next
from cronq.database.tables import jobs, runs
from cronq.domain.backfilling import Order
from cronq.domain.kills import Kill
from cronq.domain.requests import RunRequest
from cronq.domain.rules import CatchUp
from tests.simulation.edges import Edge
from tests.simulation.jobs import RULES
from tests.simulation.wishes import Backfill, Pause

if TYPE_CHECKING:
    from tests.simulation.history import History

WHY = "chance wants it"
#: A job has slots often when they come at least so often.
OFTEN = timedelta(hours=1)


def replace(history: "History") -> str:
    """Jobs are added, changed, removed and brought back."""
    return history.replace()


def pause(history: "History") -> str:
    """Somebody pauses a job for a while, and may think better of it."""
    job = _any_job(history)
    if job is None:
        return "nobody to pause"
    seconds = 1 + max(history.span(), history.span())
    return _pause(history, job, seconds)


def pause_in_catch_up(history: "History") -> str:
    """Nobody takes what is due for some slots, and a job is paused before these are caught up: when somebody
    is about to do so, or in the midst, so that the pause may be over by then.
    """
    chance = history.chance
    found = list(_to_be_caught_up(history))
    if not found:
        return "nothing to catch up"
    job, step = chance.choice(found)
    seconds = step * (3.0 + 3.0 * chance.random())
    lasts, in_the_midst = seconds * chance.choice((0.4, 2.0)), chance.random() < 0.5
    at = seconds * 0.4 if in_the_midst else seconds - 2.0 + 4.0 * chance.random()
    history.later(at, lambda: history.say(f"* {_pause(history, job, lasts)}"))
    return f"{_nobody_claims(history, seconds)} for {seconds:.0f} s; {job.name} is to be paused meanwhile"


def skip(history: "History") -> str:
    """Somebody wants the next slot of a job skipped."""
    job = _any_job(history)
    skip = None if job is None else history.world.do(skip_next, job.id)
    return "nobody to skip" if job is None or skip is None else f"{job.name} skips {skip.slot}"


def run_by_hand(history: "History") -> str:
    """By the flag of 0.27, or with arguments of one's own."""
    job = _any_job(history)
    if job is None:
        return "nobody to ask"
    if history.chance.random() < 0.4:
        history.world.do(request_run, job.id)
        history.wishes.flags += 1
        return f"{job.name} is asked to run"
    request = RunRequest("chance", WHY, arguments=(f"{history.faults.total()}",))
    made = history.world.do(make_run, job.id, request)
    assert made is not None
    history.wishes.by_hand[made.run_id] = request
    return f"{job.name} is asked for run {made.run_id}"


def kill_run(history: "History") -> str:
    """A person has a run ended, whether it has started or not; or what was given up for lost."""
    is_open = runs.c.status.in_(["queued", "running"]) | runs.c.abandoned
    found = history.world.rows(select(runs.c.run_id, runs.c.status).where(is_open).order_by(runs.c.id))
    if not found:
        return "nothing to kill"
    # Most of what is open waits, if there is a backlog: so choose what is to be met, first.
    status = history.chance.choice(sorted({run.status for run in found}))
    run = history.chance.choice([run for run in found if run.status == status])
    killed = history.world.do(kill, run.run_id, WHY)
    assert killed is not None
    if killed.kill is Kill.CALLED_OFF:
        history.wishes.called_off.append(run.run_id)
    return f"kill run {run.run_id}, which is {run.status}: {killed.kill.name.lower()}"


def backfill(history: "History") -> str:
    """Somebody wants what has not run of some hours, and may call it off again."""
    chance, now = history.chance, history.world.now()
    query = select(jobs.c.id, jobs.c.name, runs.c.slot).join(jobs, jobs.c.id == runs.c.job_id)
    not_run = runs.c.status.in_(["missed", "skipped"]), runs.c.slot > now - timedelta(hours=6)
    found = history.world.rows(query.where(jobs.c.removed_at.is_(None), *not_run).order_by(runs.c.id))
    if not found:
        return "nothing to backfill"
    job = chance.choice(found)
    since = job.slot - timedelta(hours=chance.choice((0, 1)) * chance.random())
    until = max(since, now if chance.random() < 0.5 else since + (now - since) * chance.random())
    at_once = chance.choice((1, 2, 3))
    slots = history.world.do(count_slots, job.id, since, until)
    if not slots:
        return f"no slots of {job.name} to backfill"
    wanted = Wanted(since, until, chance.choice(list(Order)), at_once, WHY)
    backfill_id = history.world.do(begin_backfill, job.id, wanted, slots)
    history.wishes.backfills[backfill_id] = Backfill(job.name, since, min(until, now), now, at_once)
    if chance.random() < 0.2:
        seconds = history.span()
        history.later(seconds, lambda: history.world.do(stop_backfill, job.id, backfill_id))
    return f"backfill {backfill_id} of {job.name}: {slots} slots, {wanted.order.value} first"


def _to_be_caught_up(history: "History") -> Iterator[tuple[Any, float]]:
    """Jobs with slots that come often and are caught up, and the seconds from one to the next."""
    present = select(jobs.c.id, jobs.c.name).where(jobs.c.removed_at.is_(None)).order_by(jobs.c.id)
    for job in history.world.rows(present):
        rhythm = history.lives[job.name].terms[-1].rhythm
        if rhythm and rhythm.step < OFTEN and RULES[job.name].catch_up is not CatchUp.NONE:
            yield job, rhythm.step.total_seconds()


def _pause(history: "History", job: Any, seconds: float) -> str:
    """For so long; somebody may think better of it."""
    now = history.world.now()
    until = now + timedelta(seconds=seconds)
    closed = history.world.rows(select(jobs.c.settled_until).where(jobs.c.id == job.id))[0].settled_until
    missed = [slot for slot in history.lives[job.name].slots(now) if closed is not None and slot > closed]
    if not history.world.do(pause_job, job.id, until, WHY):
        return f"{job.name} cannot be paused, as it is gone"
    # One more than what is just due.
    if len(missed) > 1:
        history.edges[Edge.PAUSE] += 1
    # What the clock has shown before it was set back is accounted for already.
    history.wishes.pause(Pause(job.name, max(now, history.latest), until))
    if history.chance.random() < 0.3:
        history.later(60.0, lambda: _resume(history, job))
    return f"{job.name}, with {len(missed)} slots to be accounted for, is paused until {until}"


def _nobody_claims(history: "History", seconds: float) -> str:
    """Let all slots fall due unheeded for so long; gives who or what is away."""
    world = history.world
    what = "database" if history.all_in_one else history.chance.choice(("injectors", "broker", "database"))
    if what == "database":
        world.database_down()
        history.trouble(seconds, world.database_up)
    elif what == "broker":
        world.broker.down()
        history.trouble(seconds, world.broker.up)
    else:
        for name in ("injector 1", "injector 2"):
            history.daemons[name].kill()
            history.trouble(seconds, lambda name=name: history.start(name))  # type: ignore[misc]
    return f"no {what}"


def _resume(history: "History", job: Any) -> None:
    if history.world.do(resume_job, job.id):
        history.wishes.resume(job.name, history.world.now())


def _any_job(history: "History") -> Any | None:
    found = history.world.rows(select(jobs.c.id, jobs.c.name).where(jobs.c.removed_at.is_(None)))
    return history.chance.choice(found) if found else None
