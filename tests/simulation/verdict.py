"""What is to be held against cronq at the end of a history."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from cronq.database.tables import backfills, jobs, runs
from cronq.domain.runs import Cause, Status
from tests.simulation.history import History
from tests.simulation.jobs import may_follow, must_follow
from tests.simulation.verdict_catch_up import faults_of_catch_up
from tests.simulation.verdict_rules import faults_against_rules
from tests.simulation.verdict_slots import faults_of_slots
from tests.simulation.verdict_wishes import faults_against_wishes

_STARTED = {Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.KILLED, Status.LOST}
_NEED_REASONS = {
    Status.LOST, Status.MISSED, Status.SKIPPED, Status.TIMED_OUT, Status.KILLED, Status.UNROUTABLE,
}  # fmt: skip
#: A slot with nothing but such rows has not run, so that a backfill runs it.
_NOT_RUN = {Status.MISSED, Status.SKIPPED, Status.UNROUTABLE}


def findings(history: History) -> list[str]:
    """Everything that should not be, by the history's own books and by cronq's audit of its ledger."""
    rows = ledger(history)
    return [
        *_starts(history, rows),
        *_attempts(history, rows),
        *_ends(history, rows),
        *_results(history, rows),
        *_losses(history, rows),
        *faults_of_slots(history, rows),
        *faults_of_catch_up(history, rows),
        *faults_against_rules(history, rows),
        *faults_against_wishes(history, rows),
        *(f"a daemon broke: {each}" for each in history.broken),
        *(f"the audit finds: {each}" for each in history.world.audit()),
    ]


def ledger(history: History) -> list[Any]:
    """Every row of it, with the name of its job."""
    query = select(jobs.c.name, runs).join(jobs, jobs.c.id == runs.c.job_id).order_by(runs.c.id)
    return history.world.rows(query)


def count_slots(history: History) -> int:
    """How many slots there were."""
    until = history.world.now()
    return sum(1 for life in history.lives.values() for _ in life.slots(until))


def _starts(history: History, rows: list[Any]) -> Iterator[str]:
    """Nothing was started twice, and what was started stands in the ledger as such."""
    started = Counter(history.world.launcher.runs())
    known = {row.run_id: row for row in rows}
    for run_id, count in started.items():
        if count > 1:
            yield f"run {run_id} was started {count} times"
        if run_id not in known:
            yield f"run {run_id} was started and is not in the ledger"
        elif known[run_id].status not in _STARTED:
            yield f"run {run_id} was started and is {known[run_id].status}"
    for row in rows:
        if row.status in {Status.SUCCEEDED, Status.TIMED_OUT} and row.run_id not in started:
            yield f"run {row.run_id} is {row.status} and was never started"


def _attempts(history: History, rows: list[Any]) -> Iterator[str]:
    """There is a second attempt only where it was asked for, and when nothing of the first can be running."""
    known = {row.run_id: row for row in rows}
    at_slot = defaultdict(list)
    for row in rows:
        at_slot[row.name, row.slot].append(row)
    for row in rows:
        for before in [known[row.previous_run_id]] if row.previous_run_id else at_slot[row.name, row.slot]:
            asks = row.previous_run_id or (row.slot is not None and before.attempt < row.attempt)
            if asks and not _may_come_after(before, row):
                name = f"{row.name} at {row.slot}"
                yield f"{name} has another attempt, though run {before.run_id} is {before.status}"
    for run_id, count in Counter(row.previous_run_id for row in rows if row.previous_run_id).items():
        if count > 1:
            yield f"{count} attempts follow run {run_id}"
    previous = {row.run_id: row.previous_run_id for row in rows}
    called_off = {
        row.id for row in history.world.rows(select(backfills).where(backfills.c.stopped.is_not(None)))
    }
    followed = set(previous.values())
    for row in rows:
        if row.run_id in followed or not must_follow(
            row.name, Status(row.status), _tries(previous, row.run_id)
        ):
            continue
        if row.backfill_id not in called_off and _was_there(history, row):
            yield f"run {row.run_id} of {row.name} is {row.status}, and there is no attempt after it"
    yield from _beside(history, previous)


def _may_come_after(before: Any, row: Any) -> bool:
    if row.previous_run_id is None:
        return row.cause == Cause.BACKFILL and before.status in _NOT_RUN
    same = row.name == before.name and row.slot == before.slot and row.attempt == before.attempt + 1
    return same and may_follow(row.name, Status(before.status))


def _tries(previous: Mapping[str, str | None], run_id: str) -> int:
    """How often it was tried, this run included."""
    count, before = 1, previous[run_id]
    while before is not None:
        count, before = count + 1, previous[before]
    return count


def _was_there(history: History, row: Any) -> bool:
    """Whether its job was surely there when its end was recorded."""
    at = row.recorded_at
    return not history.is_unclear(at) and history.lives[row.name].is_there(at)


def _beside(history: History, previous: Mapping[str, str | None]) -> Iterator[str]:
    undying = {start.run_id for start in history.world.launcher.started if start.command.immortal}
    for run_id, beside in history.beside.items():
        earlier = previous.get(run_id)
        while earlier is not None:
            if earlier in beside and earlier not in history.excused | undying:
                yield f"run {run_id} was started while run {earlier}, an attempt before it, was running"
            earlier = previous.get(earlier)


def _ends(history: History, rows: list[Any]) -> Iterator[str]:
    """Every row is final and says why, and nothing runs any more."""
    for row in rows:
        if not Status(row.status).final:
            yield f"run {row.run_id} of {row.name} is {row.status} for ever"
        if row.status in _NEED_REASONS and not row.reason:
            yield f"run {row.run_id} of {row.name} is {row.status} without a reason"
    for command in history.world.launcher.running():
        yield f"the command with pid {command.pid} is still running"


def _results(history: History, rows: list[Any]) -> Iterator[str]:
    """What a runner has heard of the end of a command is in the ledger, unless its disk is gone."""
    launcher = history.world.launcher
    for row in rows:
        ended = launcher.heard.get(row.run_id)
        if ended is None or launcher.places[row.run_id] in history.vanished or row.run_id in history.excused:
            continue
        if row.return_code != ended.return_code:
            yield f"run {row.run_id} of {row.name} ended with {ended.return_code}, and is {row.status}"


def _losses(history: History, rows: list[Any]) -> Iterator[str]:
    """What was never started is not lost as long as the runner that asked for it has never died."""
    started = set(history.world.launcher.runs())
    for row in rows:
        runner = history.world.runners.get(row.runner)
        if row.status == Status.LOST and row.run_id not in started and not row.superseded:
            if runner is None:
                yield f"run {row.run_id} of {row.name} is lost, and nobody has had it"
            elif not runner.was_killed:
                yield f"run {row.run_id} of {row.name} is lost, and was never started by {row.runner}"
