"""Where several rules meet, and how often histories come there: what is never reached proves nothing."""

import enum
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from cronq.database.tables import orders
from cronq.domain.overlap import replaced_by
from cronq.domain.rules import Overlap
from cronq.domain.runs import Status
from tests.simulation.jobs import RULES, at_once

if TYPE_CHECKING:
    from tests.simulation.history import History

_REPLACED = replaced_by(None).split(" a ", maxsplit=1)[0]


class Edge(enum.StrEnum):
    """Each has a fault of `test_planted` that only shows itself there."""

    OVERLAP = "overlap under retries: a slot was due while a later attempt of another one was open"
    PAUSE = "pause during catch-up: a job was paused while missed slots were to be accounted for"
    PAUSE_BEFORE = "pause during catch-up: missed slots were accounted for after a pause in the midst of them"
    TIMEOUT = "timeouts in drain: a command ran out of time while its runner came to its end"
    REPLACE = "replace: the old one was to be ended, and did not die"


def count_edges(history: "History", rows: list[Any]) -> Counter[str]:
    """How often each was reached."""
    counts = Counter(history.edges)
    counts[Edge.OVERLAP] = sum(1 for _ in _due_beside_retries(rows))
    counts[Edge.PAUSE_BEFORE] = sum(1 for _ in _pauses_before_catch_up(history, rows))
    timed_out = {row.run_id for row in rows if row.status == Status.TIMED_OUT}
    counts[Edge.TIMEOUT] = len(timed_out & history.ended_in_drain)
    counts[Edge.REPLACE] = len(set(_not_dying(history, rows)))
    return counts


def _due_beside_retries(rows: list[Any]) -> Iterator[Any]:
    """Runs of slots that were made while an attempt after the first, at another slot, had not ended."""
    retries: dict[str, list[Any]] = defaultdict(list)
    firsts: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if at_once(row.name) is not None and row.slot is not None:
            (retries if row.attempt > 1 else firsts)[row.name].append(row)
    for name, of_one in firsts.items():
        for row in of_one:
            if row.slots == 1 and any(
                retry.slot != row.slot
                and retry.queued_at <= row.queued_at < (retry.recorded_at or row.queued_at)
                for retry in retries[name]
            ):
                yield row


def _pauses_before_catch_up(history: "History", rows: list[Any]) -> Iterator[Any]:
    """Slots of pauses that were over when these slots were accounted for."""
    for pause in history.wishes.pauses():
        for row in rows:
            if (
                row.name == pause.name
                and row.status == Status.SKIPPED
                and row.slot is not None
                and pause.since < row.slot < pause.until < row.queued_at - timedelta(minutes=1)
            ):
                yield row


def _not_dying(history: "History", rows: list[Any]) -> Iterator[str]:
    """Runs that were to make way, and whose command no signal has ended within the grace of its job."""
    ordered = dict[str, Any]()
    query = select(orders.c.run_id, orders.c.ordered_at).where(orders.c.reason.startswith(_REPLACED))
    for order in history.world.rows(query):
        ordered.setdefault(order.run_id, order.ordered_at)
    immortal = {start.run_id for start in history.world.launcher.started if start.command.immortal}
    for row in rows:
        if RULES[row.name].overlap is not Overlap.REPLACE or row.run_id not in ordered.keys() & immortal:
            continue
        if row.ended_at is not None and row.ended_at > ordered[row.run_id] + RULES[row.name].kill_grace:
            yield row.run_id
