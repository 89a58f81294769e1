"""Whether people got what they had asked for: kills, pauses, runs by hand and backfills."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from cronq.database.tables import backfills
from cronq.domain.rules import Overlap
from cronq.domain.runs import Cause, Status
from tests.simulation.history import History
from tests.simulation.jobs import RULES, Rhythm
from tests.simulation.wishes import Backfill

_NOT_RUN = {Status.MISSED, Status.SKIPPED, Status.UNROUTABLE}


def faults_against_wishes(history: History, rows: list[Any]) -> Iterator[str]:
    """Whatever people were told is true."""
    known = {row.run_id: row for row in rows}
    yield from _kills(history, known)
    yield from _runs_by_hand(history, known)
    yield from _starts_in_pauses(history, rows)
    yield from _backfills(history, rows)


def _kills(history: History, known: Mapping[str, Any]) -> Iterator[str]:
    """What was called off never starts, and is not tried again."""
    happened = {
        "started": set(history.world.launcher.runs()),
        "tried again": {row.previous_run_id for row in known.values()},
    }
    for run_id in history.wishes.called_off:
        row = known[run_id]
        if row.status != Status.KILLED or any(run_id in ids for ids in happened.values()):
            what = [row.status, *(name for name, ids in happened.items() if run_id in ids)]
            yield f"run {run_id} of {row.name} was called off, and is {', '.join(what)}"


def _runs_by_hand(history: History, known: Mapping[str, Any]) -> Iterator[str]:
    """Each that was asked for is one run, with what it was to be given, whether its job is paused or not."""
    wishes = history.wishes
    given = {start.run_id: start.asked.arguments for start in history.world.launcher.started}
    for run_id, request in wishes.by_hand.items():
        row = known.get(run_id)
        if row is None or row.slot is not None or row.attempt != 1:
            yield f"run {run_id} was asked for, and is not in the ledger"
            continue
        if row.status in {Status.MISSED, Status.UNROUTABLE}:
            yield f"run {run_id} of {row.name} was asked for, and is {row.status}"
        in_the_way = RULES[row.name].overlap is not Overlap.ALLOW
        removed = history.lives[row.name].removed_after(row.queued_at) <= history.world.now()
        if row.status == Status.SKIPPED and not (in_the_way or removed):
            yield f"run {run_id} of {row.name} was asked for, and is skipped: {row.reason}"
        if given.get(run_id, request.arguments) != request.arguments:
            yield f"run {run_id} of {row.name} was given {given[run_id]}"
    by_flag = [row for row in known.values() if row.slot is None and row.attempt == 1]
    by_flag = [row for row in by_flag if row.run_id not in wishes.by_hand]
    if len(by_flag) > wishes.flags:
        yield f"{len(by_flag)} runs by hand that nobody has named, and {wishes.flags} were asked for"


def _starts_in_pauses(history: History, rows: list[Any]) -> Iterator[str]:
    """What a schedule has asked for is not started in a pause."""
    granted = defaultdict(list)
    for row in rows:
        if row.slot is not None and row.cause != Cause.BACKFILL and row.granted_at is not None:
            granted[row.name].append(row)
    for pause in history.wishes.pauses():
        until = min(pause.until, history.lives[pause.name].removed_after(pause.since))
        for row in granted[pause.name]:
            if pause.since < row.granted_at < until and not history.is_unclear(row.granted_at):
                yield f"run {row.run_id} of {row.name} was started, paused from {pause.since} to {until}"


def _backfills(history: History, rows: list[Any]) -> Iterator[str]:
    """Of each, what was made is of its slots, once; and when it has ended, none of these is left out."""
    by_backfill, again = defaultdict(list), defaultdict(list)
    known: dict[tuple[str, datetime], list[Any]] = defaultdict(list)
    for row in rows:
        known[row.name, row.slot].append(row)
        if row.backfill_id is not None and row.previous_run_id is None:
            by_backfill[row.backfill_id].append(row)
        elif row.backfill_id is not None:
            again[row.backfill_id].append(row)
    for stored in history.world.rows(select(backfills)):
        wish = history.wishes.backfills[stored.id]
        made = by_backfill[stored.id]
        if stored.ended_at is None:
            yield f"backfill {stored.id} of {wish.name} goes on for ever"
            continue
        yield from _made(history, stored, wish, made)
        yield from _tried_again(history, stored, again[stored.id])
        if (
            stored.stopped is not None
            or history.is_unclear(wish.asked_at)
            or history.is_unclear(stored.ended_at)
        ):
            continue
        rhythms = _rhythms(history, wish, stored.ended_at)
        if len(rhythms) > 1:
            continue
        for slot in rhythms[0].between(wish.since - datetime.resolution, wish.until):
            if all(_is_left_out(row) for row in known[wish.name, slot]):
                yield f"{wish.name} at {slot} has not run, and was left out by backfill {stored.id}"


def _tried_again(history: History, stored: Any, attempts: list[Any]) -> Iterator[str]:
    """There are no further attempts once it was called off."""
    if stored.stopped is not None and not history.is_unclear(stored.ended_at):
        for row in attempts:
            if row.queued_at > stored.ended_at:
                yield f"{row.name} at {row.slot} was tried again after backfill {stored.id} was called off"


def _is_left_out(row: Any) -> bool:
    """Whether it has not run, and the backfill has not made it."""
    return row.status in _NOT_RUN and row.backfill_id is None


def _made(history: History, stored: Any, wish: Backfill, made: list[Any]) -> Iterator[str]:
    for slot, count in Counter(row.slot for row in made).items():
        if count > 1:
            yield f"{wish.name} at {slot} has {count} runs of backfill {stored.id}"
    rhythms = _rhythms(history, wish, stored.ended_at)
    for row in made:
        if not any(
            row.slot in set(each.between(wish.since - datetime.resolution, wish.until)) for each in rhythms
        ):
            yield f"{wish.name} at {row.slot} is no slot of backfill {stored.id}"
        if row.queued_at > stored.ended_at and not history.is_unclear(stored.ended_at):
            yield f"{wish.name} at {row.slot} was made after the end of backfill {stored.id}"


def _rhythms(history: History, wish: Backfill, ended_at: datetime) -> list[Rhythm]:
    """Those that the job has had while the backfill went on, as far as the clock tells."""
    terms = history.lives[wish.name].terms
    first, last = min(wish.asked_at, ended_at), max(wish.asked_at, ended_at)
    return [
        term.rhythm for term in terms
        if term.rhythm is not None and term.since <= last and first <= (term.until or datetime.max)
    ]  # fmt: skip
