"""What is to be held against cronq at the end of a history."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cronq.database.tables import jobs, runs
from cronq.domain.runs import Status
from tests.simulation.history import History
from tests.simulation.jobs import Life

_STARTED = {Status.SUCCEEDED, Status.FAILED, Status.KILLED, Status.LOST}


def findings(history: History) -> list[str]:
    """Everything that should not be, by the history's own books and by cronq's audit of its ledger."""
    query = select(jobs.c.name, runs).join(jobs, jobs.c.id == runs.c.job_id).order_by(runs.c.id)
    rows = history.world.rows(query)
    found = [
        *_starts(history, rows),
        *_slots(history, rows),
        *_ends(history, rows),
        *_results(history, rows),
    ]
    return found + [f"the audit finds: {each}" for each in history.world.audit()]


def _starts(history: History, rows: list[Any]) -> Iterator[str]:
    """Nothing was started twice, and a second attempt only where it was asked for."""
    started = history.world.launcher.runs()
    known = {row.run_id: row for row in rows}
    for run_id in sorted({each for each in started if started.count(each) > 1}):
        yield f"run {run_id} was started {started.count(run_id)} times"
    for run_id in started:
        if run_id not in known:
            yield f"run {run_id} was started and is not in the ledger"
        elif known[run_id].status not in _STARTED:
            yield f"run {run_id} was started and is {known[run_id].status}"
    attempts = defaultdict(list)
    for row in rows:
        if row.slot is not None:
            attempts[row.name, row.slot].append(row)
    for (name, slot), made in attempts.items():
        for before in made[:-1]:
            if before.status != Status.LOST or not history.lives[name].reruns(slot):
                yield f"{name} at {slot} has another attempt, though run {before.run_id} is {before.status}"


def _slots(history: History, rows: list[Any]) -> Iterator[str]:
    """Every slot has its row, and every row its slot."""
    until = history.world.now()
    for name, life in history.lives.items():
        expected = set(life.slots(until))
        found: list[datetime] = []
        for row in rows:
            if row.name == name and row.slot is not None and row.attempt == 1:
                found += _covered(life, row)
        for slot in sorted(expected - set(found)):
            yield f"{name} at {slot} has no row"
        for slot in sorted(set(found) - expected):
            yield f"{name} at {slot} has a row and is no slot"
        for slot in (
            sorted({each for each in found if found.count(each) > 1}) if len(found) > len(set(found)) else ()
        ):
            yield f"{name} at {slot} has several rows"


def _covered(life: Life, row: Any) -> list[datetime]:
    if row.slots == 1:
        return [row.slot]
    step = life.step(row.slot)
    return [row.slot + n * step for n in range(row.slots)]


def _ends(history: History, rows: list[Any]) -> Iterator[str]:
    """Every row is final and says why, and nothing runs any more."""
    for row in rows:
        if not Status(row.status).final:
            yield f"run {row.run_id} of {row.name} is {row.status} for ever"
        if row.status in {Status.LOST, Status.MISSED, Status.SKIPPED, Status.KILLED} and not row.reason:
            yield f"run {row.run_id} of {row.name} is {row.status} without a reason"
    for command in history.world.launcher.running():
        yield f"the command with pid {command.pid} is still running"
    by_hand = sum(row.slot is None and row.attempt == 1 for row in rows)
    if by_hand > history.asked:
        yield f"{by_hand} runs by hand, and {history.asked} were asked for"


def _results(history: History, rows: list[Any]) -> Iterator[str]:
    """What a runner has heard of the end of a command is in the ledger, unless its disk is gone."""
    launcher = history.world.launcher
    for row in rows:
        ended = launcher.heard.get(row.run_id)
        if ended is None or launcher.places[row.run_id] in history.vanished:
            continue
        if row.return_code != ended.return_code:
            yield f"run {row.run_id} of {row.name} ended with {ended.return_code}, and is {row.status}"
