"""What is to be held against cronq at the end of a history."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from cronq.database.tables import events, jobs, runs
from cronq.domain.messages import Report
from cronq.domain.runs import Status
from tests.simulation.history import History
from tests.simulation.jobs import RULES, Life, at_once, longest, may_follow, must_follow

_STARTED = {Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.KILLED, Status.LOST}
_NEED_REASONS = {
    Status.LOST, Status.MISSED, Status.SKIPPED, Status.TIMED_OUT, Status.KILLED, Status.UNROUTABLE,
}  # fmt: skip

#: Between an end and when it is heard of.
_LEEWAY = timedelta(seconds=1)


def findings(history: History) -> list[str]:
    """Everything that should not be, by the history's own books and by cronq's audit of its ledger."""
    query = select(jobs.c.name, runs).join(jobs, jobs.c.id == runs.c.job_id).order_by(runs.c.id)
    rows = history.world.rows(query)
    return [
        *_starts(history, rows),
        *_attempts(history, rows),
        *_overlaps(history, rows),
        *_slots(history, rows),
        *_ends(history, rows),
        *_results(history, rows),
        *_losses(history, rows),
        *_timeouts(history, rows),
        *(f"a daemon broke: {each}" for each in history.broken),
        *(f"the audit finds: {each}" for each in history.world.audit()),
    ]


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
    before = {row.run_id: row.previous_run_id for row in rows}
    attempts = defaultdict(list)
    for row in rows:
        if row.slot is not None:
            attempts[row.name, row.slot].append(row)
    for (name, slot), made in attempts.items():
        for row in made[:-1]:
            if not may_follow(name, Status(row.status)):
                yield f"{name} at {slot} has another attempt, though run {row.run_id} is {row.status}"
    followed = set(before.values())
    for row in rows:
        if row.run_id in followed or not must_follow(row.name, Status(row.status), row.attempt):
            continue
        if _was_there(history, row):
            yield f"run {row.run_id} of {row.name} is {row.status}, and there is no attempt after it"
    yield from _beside(history, before)


def _was_there(history: History, row: Any) -> bool:
    """Whether its job was surely there when its end was recorded."""
    at = row.recorded_at
    is_unclear = any(since <= at <= until for since, until in history.twice)
    return not is_unclear and history.lives[row.name].is_there(at)


def _beside(history: History, before: Mapping[str, str | None]) -> Iterator[str]:
    for run_id, beside in history.beside.items():
        earlier = before.get(run_id)
        while earlier is not None:
            if earlier in beside and earlier not in history.excused:
                yield f"run {run_id} was started while run {earlier}, an attempt before it, was running"
            earlier = before.get(earlier)


def _overlaps(history: History, rows: list[Any]) -> Iterator[str]:
    """Where runs may not overlap they do not, unless one was lost: who is lost blocks nobody."""
    query = select(events.c.run_id).where(events.c.type == Report.LOST.value)
    lost = {row.run_id for row in history.world.rows(query)} | history.excused
    known = {row.run_id: row for row in rows}
    for run_id, beside in history.running_at.items():
        run = known.get(run_id)
        if run is None or run_id in lost or (most := at_once(run.name)) is None:
            continue
        of_same = [each for each in beside if each in known and known[each].job_id == run.job_id]
        if len([each for each in of_same if each not in lost]) >= most:
            yield f"run {run_id} of {run.name} was started beside {', '.join(of_same)}"


def _slots(history: History, rows: list[Any]) -> Iterator[str]:
    """Every slot has its row, and every row its slot."""
    until = history.world.now()
    found: dict[str, Counter[datetime]] = defaultdict(Counter)
    for row in rows:
        if row.slot is not None and row.attempt == 1:
            found[row.name].update(_covered(history.lives[row.name], row))
    for name, life in history.lives.items():
        expected = set(life.slots(until))
        for slot in sorted(expected - found[name].keys()):
            yield f"{name} at {slot} has no row"
        for slot in sorted(found[name].keys() - expected):
            yield f"{name} at {slot} has a row and is no slot"
        for slot, count in sorted(found[name].items()):
            if count > 1:
                yield f"{name} at {slot} has {count} rows"


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
        if row.status in _NEED_REASONS and not row.reason:
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


def _timeouts(history: History, rows: list[Any]) -> Iterator[str]:
    """What runs longer than it may is ended, by a runner that is awake; and nothing else has timed out."""
    for row in rows:
        ended = history.world.launcher.heard.get(row.run_id)
        if ended is None:
            continue
        ran, timeout, most = timedelta(seconds=ended.run_time), RULES[row.name].timeout, longest(row.name)
        if row.status == Status.TIMED_OUT and (timeout is None or ran < timeout):
            yield f"run {row.run_id} of {row.name} has timed out after {ran}"
        runner = history.world.runners.get(row.runner)
        if most is not None and ran > most + _LEEWAY and runner is not None and not runner.was_frozen:
            yield f"run {row.run_id} of {row.name} has run for {ran}"
