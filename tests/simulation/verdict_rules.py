"""Whether the rules of jobs were kept while their commands ran."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from cronq.database.tables import events
from cronq.domain.messages import Report
from cronq.domain.overlap import OpenRun
from cronq.domain.runs import Status
from tests.simulation.history import History
from tests.simulation.jobs import RULES, at_once, longest

#: Between an end and when it is heard of.
_LEEWAY = timedelta(seconds=1)


def faults_against_rules(history: History, rows: list[Any]) -> Iterator[str]:
    """Of overlap, of how many may run at once, and of timeouts."""
    yield from _overlaps(history, rows)
    yield from _replacements(rows)
    yield from _timeouts(history, rows)
    yield from _deadlines(history, rows)


def _overlaps(history: History, rows: list[Any]) -> Iterator[str]:
    """Where runs may not overlap they do not, unless one was lost: who is lost blocks nobody."""
    query = select(events.c.run_id).where(events.c.type == Report.LOST.value)
    lost = {row.run_id for row in history.world.rows(query)} | history.excused
    known = {row.run_id: row for row in rows}
    for run_id, beside in history.running_at.items():
        if (run := known.get(run_id)) is None or run_id in lost:
            continue
        others = [known[each] for each in beside if each in known and each not in lost]
        most, of_same = at_once(run.name), [each for each in others if each.job_id == run.job_id]
        if most is not None and len(of_same) >= most:
            names = ", ".join(each.run_id for each in of_same)
            yield f"run {run_id} of {run.name} was started beside {names}"
        wish = history.wishes.backfills.get(run.backfill_id)
        if wish and sum(each.backfill_id == run.backfill_id for each in of_same) >= wish.at_once:
            yield f"run {run_id} was started beside {wish.at_once} of its backfill of {run.name}"


def _replacements(rows: list[Any]) -> Iterator[str]:
    """What had to make way did so for another run of its job that is there."""
    by_name = defaultdict(list)
    for row in rows:
        by_name[row.name].append(row)
    for row in rows:
        _, replaced, by = (row.reason or "").partition("replaced by ")
        others = (each for each in by_name[row.name] if each.run_id != row.run_id)
        if replaced and by not in {OpenRun("", Status.QUEUED, each.slot).in_words() for each in others}:
            yield f"run {row.run_id} of {row.name} was {row.reason}, which is not there"


def _deadlines(history: History, rows: list[Any]) -> Iterator[str]:
    """What is past its deadline does not start, and keeps no other slot from waiting."""
    for row in rows:
        deadline = RULES[row.name].deadline
        if deadline is None or row.slot is None or row.cause is not None or row.attempt > 1:
            continue
        if row.granted_at and row.granted_at - row.slot > deadline and not history.is_unclear(row.granted_at):
            yield f"run {row.run_id} of {row.name} for {row.slot} was started at {row.granted_at}"
        _, waited, other = (row.reason or "").partition("had not ended, and the run for ")
        if waited and not history.is_unclear(row.queued_at):
            slot = datetime.strptime(other[:19], "%Y-%m-%d %H:%M:%S")
            first = {each.slot for each in rows if each.name == row.name and each.cause is None}
            if slot in first and row.queued_at - slot > deadline + timedelta(seconds=1):
                yield f"{row.name} at {row.slot} is skipped, as it {row.reason}, in vain"


def _timeouts(history: History, rows: list[Any]) -> Iterator[str]:
    """What runs longer than it may is ended, by a runner that is awake; and nothing else has timed out."""
    undying = {start.run_id for start in history.world.launcher.started if start.command.immortal}
    for row in rows:
        ended = history.world.launcher.heard.get(row.run_id)
        if ended is None:
            continue
        ran, timeout, most = timedelta(seconds=ended.run_time), RULES[row.name].timeout, longest(row.name)
        if row.status == Status.TIMED_OUT and (timeout is None or ran < timeout):
            yield f"run {row.run_id} of {row.name} has timed out after {ran}"
        runner = history.world.runners.get(row.runner)
        if most is None or ran <= most + _LEEWAY or row.run_id in undying:
            continue
        if runner is not None and not runner.was_frozen:
            yield f"run {row.run_id} of {row.name} has run for {ran}"
