"""Whether each slot was accounted for: those of schedules, those in pauses, and those that follow others."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cronq.domain.following import slot_after
from cronq.domain.runs import Cause, Status
from tests.simulation.history import History
from tests.simulation.jobs import RULES, Life

#: By slot: the rows that account for it.
Accounts = Mapping[datetime, list[Any]]


def faults_of_slots(history: History, rows: list[Any]) -> Iterator[str]:
    """Every slot has its row, every row its slot; and what was to follow has followed."""
    accounts: dict[str, dict[datetime, list[Any]]] = {name: defaultdict(list) for name in history.lives}
    for row in rows:
        if row.slot is not None and row.attempt == 1 and row.cause is None:
            for slot in _covered(history.lives[row.name], row):
                accounts[row.name][slot].append(row)
    for name, life in history.lives.items():
        yield from _slots(name, set(life.slots(history.world.now())), accounts[name])
    yield from _pauses(history, accounts)
    for name in history.lives:
        if RULES[name].after:
            yield from _following(history, name, rows, accounts[name])


def _covered(life: Life, row: Any) -> list[datetime]:
    if row.slots == 1:
        return [row.slot]
    step = life.step(row.slot)
    return [row.slot + n * step for n in range(row.slots)]


def _slots(name: str, expected: set[datetime], found: Accounts) -> Iterator[str]:
    for slot in sorted(expected - found.keys()):
        yield f"{name} at {slot} has no row"
    for slot in sorted(found.keys() - expected):
        yield f"{name} at {slot} has a row and is no slot"
    for slot, of_slot in sorted(found.items()):
        if len(of_slot) > 1:
            yield f"{name} at {slot} has {len(of_slot)} rows"


def _pauses(history: History, accounts: Mapping[str, Accounts]) -> Iterator[str]:
    """The slots in a pause are skipped, whenever they are accounted for."""
    for pause in history.wishes.pauses():
        life = history.lives[pause.name]
        until = min(pause.until, life.removed_after(pause.since), history.world.now())
        for slot in life.slots(until):
            for row in accounts[pause.name].get(slot, ()):
                if pause.since < slot < until and row.status != Status.SKIPPED:
                    yield f"{pause.name} at {slot} is {row.status}, paused from {pause.since} to {until}"


def _following(history: History, name: str, rows: list[Any], own: Accounts) -> Iterator[str]:
    """What runs after others does so once where all have succeeded, and nowhere else."""
    rules, life = RULES[name], history.lives[name]
    done: dict[datetime, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row.name in rules.after and row.status == Status.SUCCEEDED and row.slot is not None:
            done[slot_after(rules.after_same, row.slot)][row.name].append(row.recorded_at)
    complete = {slot: by_name for slot, by_name in done.items() if set(by_name) == set(rules.after)}
    made: dict[datetime, list[Any]] = defaultdict(list)
    for row in rows:
        if row.name == name and row.cause == Cause.AFTER and row.previous_run_id is None:
            made[row.slot].append(row)
    for slot, of_slot in sorted(made.items()):
        if len(of_slot) > 1 or slot in own:
            yield f"{name} at {slot} follows more than once"
        if slot not in complete:
            yield f"{name} at {slot} follows, and not all before it have succeeded"
    for slot in sorted(complete.keys() - made.keys() - own.keys()):
        times = [at for of_one in complete[slot].values() for at in of_one]
        since = max(min(of_one) for of_one in complete[slot].values())
        if any(at >= since and life.is_there(at) and not history.is_unclear(at) for at in times):
            yield f"{name} at {slot} has not followed, and all before it have succeeded"
