"""The table of runners, as results hears of them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, delete, select, union, update

from cronq.database.bulk import CHUNK, chunks, insert_new, update_rows
from cronq.database.gateway import now as database_now
from cronq.database.losses import granted_runs, win_back_runs
from cronq.database.orders import order_kill
from cronq.database.tables import orders, runners, runs
from cronq.domain.hearing import GrantedRun
from cronq.domain.heartbeats import ALIVE, RunnerHeartbeat, RunnerStatus
from cronq.domain.runs import Status

#: How long who gives no sign any more is kept, and the orders that are done.
KEPT = timedelta(days=7)


def record_heartbeats(connection: Connection, heard: Sequence[tuple[RunnerHeartbeat, float]]) -> list[str]:
    """Write down who has been heard, each so many seconds ago; gives those who had been called silent.

    What these hold, or those who had even been forgotten, and was given up is theirs again; what has another
    attempt by now, they are told to end.
    """
    now = database_now(connection)
    newest = {said.runner[:64]: (said, age) for said, age in heard}
    known = _statuses(connection, sorted(newest))
    rows = [_row(said, now - timedelta(seconds=age)) for _, (said, age) in sorted(newest.items())]
    insert_new(connection, runners, [row | {"first_heard": now} for row in rows if row["id"] not in known])
    update_rows(
        connection,
        runners,
        [row | {"first_heard": known[row["id"]][1]} for row in rows if row["id"] in known],
    )
    back = [name for name, (status, _) in known.items() if status == RunnerStatus.SILENT.value]
    holders = _holders(newest, back, now)
    strangers = _holders(newest, newest.keys() - known.keys(), now)
    holders |= {run_id: strangers[run_id] for run_id in _given_up(connection, sorted(strangers))}
    for run_id in win_back_runs(connection, holders) if holders else ():
        runner, _ = holders[run_id]
        order_kill(connection, runner, run_id, "it was given up, and another attempt has been made")
    return back


def look_for_losses(connection: Connection, lost_after: float) -> tuple[list[GrantedRun], bool]:
    """What is running, and whether there is anybody for `mark_silent`."""
    silent = connection.execute(_silent(connection, lost_after).limit(1)).first() is not None
    return granted_runs(connection), silent


def mark_silent(connection: Connection, lost_after: float) -> list[str]:
    """Call those silent who have not been heard for so many seconds; gives them."""
    names = list(connection.scalars(_silent(connection, lost_after).order_by(runners.c.id).with_for_update()))
    if names:
        connection.execute(
            update(runners).where(runners.c.id.in_(names)).values(status=RunnerStatus.SILENT.value)
        )
    return names


def forget_runners(connection: Connection) -> list[str]:
    """Delete who has given no sign for long, unless a run depends on it, and old orders; gives the former."""
    long_ago = database_now(connection) - KEPT
    gone = runners.c.status.not_in(ALIVE) & (runners.c.last_heard < long_ago)
    query = select(runners.c.id).where(gone, runners.c.id.not_in(_needed())).order_by(runners.c.id)
    names = list(connection.scalars(query.limit(CHUNK)))
    if names:
        # Looked at again, since any of them may have come back in this moment.
        connection.execute(delete(runners).where(gone, runners.c.id.in_(names)))
    connection.execute(delete(orders).where(orders.c.publish_after.is_(None), orders.c.ordered_at < long_ago))
    return names


def _needed() -> Select[Any]:
    """Whoever has an open run, or may still have what the attempt after it is waiting for."""
    before = runs.alias("before")
    running = select(runs.c.runner).where(runs.c.status == Status.RUNNING.value)
    abandoned = (
        select(before.c.runner)
        .join(runs, runs.c.previous_run_id == before.c.run_id)
        .where(runs.c.status == Status.QUEUED.value, before.c.abandoned)
    )
    needed = union(running, abandoned).subquery()
    return select(needed.c.runner).where(needed.c.runner.is_not(None))


def _silent(connection: Connection, lost_after: float) -> Select[Any]:
    long_ago = database_now(connection) - timedelta(seconds=lost_after)
    return select(runners.c.id).where(runners.c.status.in_(ALIVE), runners.c.last_heard < long_ago)


def _statuses(connection: Connection, names: Sequence[str]) -> dict[str, tuple[str, datetime]]:
    # Locked in order: all results daemons write the same rows at the same time.
    return {
        name: (status, first_heard)
        for some in chunks(names)
        for name, status, first_heard in connection.execute(
            select(runners.c.id, runners.c.status, runners.c.first_heard)
            .where(runners.c.id.in_(some))
            .order_by(runners.c.id)
            .with_for_update()
        )
    }


def _holders(
    newest: Mapping[str, tuple[RunnerHeartbeat, float]], names: Iterable[str], now: datetime
) -> dict[str, tuple[str, datetime]]:
    """What these hold: by run id, who it is and when he said so. (Who has ended has only reports left.)"""
    heard = ((name, *newest[name]) for name in names)
    return {
        run_id: (name, now - timedelta(seconds=age))
        for name, said, age in heard
        if said.status is not RunnerStatus.STOPPED
        for run_id in said.holds
    }


def _given_up(connection: Connection, run_ids: Sequence[str]) -> list[str]:
    lost = select(runs.c.run_id).where(runs.c.status == Status.LOST.value)
    found = (connection.scalars(lost.where(runs.c.run_id.in_(some))) for some in chunks(run_ids))
    return [run_id for some in found for run_id in some]


def _row(said: RunnerHeartbeat, heard_at: datetime) -> dict[str, Any]:
    return {
        "id": said.runner[:64],
        "host": said.host[:255],
        "home": said.home,
        "version": said.version[:32],
        "queue": said.queue[:255],
        "routing_keys": json.dumps(said.routing_keys),
        "concurrency": said.concurrency,
        "busy": len(said.holds),
        "status": said.status.value,
        "address": said.address and said.address[:255],
        "clock_ahead": (said.sent_at - heard_at).total_seconds(),
        "last_heard": heard_at,
    }
