"""Orders to runners: rows that any injector publishes until they are seen to be done."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from cronq.database.bulk import chunks, insert_rows
from cronq.database.changes import Change, record_change
from cronq.database.gateway import now as database_now
from cronq.database.tables import orders, runners, runs
from cronq.domain.access import SHELL, Actor
from cronq.domain.changes import Action
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.orders import Order, OrderKind
from cronq.domain.runs import Status

#: Until an order that has had no effect yet is published again.
PATIENCE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class SentOrder:
    """An order that is to be published now."""

    order: Order
    runner: str
    #: The runner's private queue; None: it has not said where that is.
    address: str | None


def order_kill(connection: Connection, runner: str, run_id: str, reason: str) -> bool:
    """Have the command of a run ended by the runner that has it; False when that is ordered already."""
    return order_kills(connection, [(runner, run_id, reason)]) == 1


def order_kills(connection: Connection, wanted: Sequence[tuple[str, str, str]]) -> int:
    """Have the commands of runs ended: runner, run id and reason of each; gives how many are new orders."""
    run_ids = sorted(run_id for _, run_id, _ in wanted)
    under_way = orders.c.kind == OrderKind.KILL.value, orders.c.publish_after.is_not(None)
    query = select(orders.c.runner, orders.c.run_id).where(*under_way)
    known = {
        tuple(row)
        for some in chunks(run_ids)
        for row in connection.execute(query.where(orders.c.run_id.in_(some)))
    }
    new = [each for each in wanted if each[:2] not in known]
    _insert(connection, OrderKind.KILL, new)
    return len(new)


def find_kills(connection: Connection, run_ids: Collection[str]) -> Mapping[str, str]:
    """Which of these runs are ordered to be killed, done or not, and why."""
    query = select(orders.c.run_id, orders.c.reason).where(orders.c.run_id.in_(sorted(run_ids)))
    return {row.run_id: row.reason for row in connection.execute(query.order_by(orders.c.id.desc()))}


def order_drain(connection: Connection, runner: str, reason: str, by: Actor = SHELL) -> RunnerStatus | None:
    """Have a runner stop in good order, if it is up; ordered again, it is one order.

    Gives how the runner was; None: there is no such runner.
    """
    query = select(runners.c.id, runners.c.status).where(runners.c.id == runner).with_for_update()
    found = connection.execute(query).first()
    if found is None or found.id != runner:  # some servers compare without regard to case
        return None
    status = RunnerStatus(found.status)
    if status is RunnerStatus.UP and runner not in find_drain_orders(connection, [runner]):
        _insert(connection, OrderKind.DRAIN, [(runner, None, reason)])
        record_change(connection, by, Change(Action.RUNNER_DRAINED, runner))
    return status


def find_drain_orders(connection: Connection, names: Collection[str]) -> Mapping[str, datetime]:
    """Who of these is ordered to drain and has not been seen to do it yet, and since when."""
    pending = orders.c.publish_after.is_not(None), orders.c.kind == OrderKind.DRAIN.value
    query = select(orders.c.runner, orders.c.ordered_at).where(orders.c.runner.in_(sorted(names)), *pending)
    return {row.runner: row.ordered_at for row in connection.execute(query)} if names else {}


def claim_orders(connection: Connection, limit: int) -> list[SentOrder]:
    """Take over what is to be published now, and put away what is done."""
    now = database_now(connection)
    query = (
        select(orders.c.id)
        .where(orders.c.publish_after <= now)
        .order_by(orders.c.publish_after)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.scalars(query))
    if not ids:
        return []
    found = (
        select(
            orders,
            runners.c.status.label("runner_status"),
            runners.c.address,
            runs.c.status,
            runs.c.abandoned,
        )
        .join(runners, runners.c.id == orders.c.runner, isouter=True)
        .join(runs, runs.c.run_id == orders.c.run_id, isouter=True)
        .where(orders.c.id.in_(ids))
        .order_by(orders.c.id)
    )
    sent, wanted = [], []
    for row in connection.execute(found):
        if _is_wanted(row):
            wanted.append(row.id)
            sent.append(
                SentOrder(Order(OrderKind(row.kind), row.reason, row.run_id), row.runner, row.address)
            )
    _put_off(connection, wanted, now + PATIENCE)
    _put_off(connection, sorted(set(ids) - set(wanted)), None)
    return sent


def _is_wanted(row: Row[Any]) -> bool:
    """Whether the order has yet to have its effect, and somebody may be there to give it."""
    if row.runner_status not in {RunnerStatus.UP, RunnerStatus.DRAINING, RunnerStatus.SILENT}:
        return False
    if row.kind == OrderKind.DRAIN:
        return bool(row.runner_status != RunnerStatus.DRAINING)
    return bool(row.status == Status.RUNNING or row.abandoned)


def _put_off(connection: Connection, ids: Sequence[int], until: datetime | None) -> None:
    if ids:
        connection.execute(update(orders).where(orders.c.id.in_(ids)).values(publish_after=until))


def _insert(connection: Connection, kind: OrderKind, wanted: Sequence[tuple[str, str | None, str]]) -> None:
    if not wanted:
        return
    now = database_now(connection)
    rows = [
        {
            "kind": kind.value,
            "runner": runner,
            "run_id": run_id,
            "reason": reason[:1000],
            "ordered_at": now,
            "publish_after": now,
        }
        for runner, run_id, reason in wanted
    ]
    insert_rows(connection, orders, rows)
