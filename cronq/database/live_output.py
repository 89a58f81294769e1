"""Live output: who looks at which run, and what its runner sends because of that.

All of it is short-lived and small, however many runs there are: nothing is written for a run at which nobody
looks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from cronq.database.bulk import chunks, insert_new, update_rows
from cronq.database.gateway import now as database_now
from cronq.database.output_tables import excerpts, viewings
from cronq.database.tables import runners, runs
from cronq.domain.heartbeats import ALIVE
from cronq.domain.live_output import LEASE, Excerpt
from cronq.domain.orders import Order, OrderKind
from cronq.domain.runs import Status

#: How many runs may be looked at at once.
MOST_VIEWINGS = 64
#: Bytes of what was seen of each that are kept; each excerpt counts for some more, however short it is.
MOST_SEEN, EACH = 512 * 1024, 256
#: How often a runner is told that somebody still looks.
REMIND = timedelta(seconds=10)
#: How long what was seen is there after the last look: who was cut off comes back, and finds how it ended.
LINGER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class SentViewing:
    """A runner that is to be told now that somebody looks at its run."""

    run_id: str
    #: Its private queue; None: it has not said where that is.
    runner_address: str | None
    #: Seconds for which somebody looks.
    seconds: float

    def order(self, address: str) -> Order:
        """What to tell it; `address` is where the output is to be sent."""
        reason = "somebody looks at its output"
        return Order(OrderKind.SHOW, reason, self.run_id, address, self.seconds)


def view_run(connection: Connection, run_id: str) -> bool:
    """Somebody looks at a run for the next while; False: so many are looked at that it has to wait."""
    now = database_now(connection)
    until = now + timedelta(seconds=LEASE)
    row = connection.execute(
        select(viewings.c.id, viewings.c.until).where(viewings.c.run_id == run_id).with_for_update()
    ).first()
    if row is None:
        if (connection.scalar(select(func.count()).select_from(viewings)) or 0) >= MOST_VIEWINGS:
            return False
        new = {"run_id": run_id, "until": until, "publish_after": now}
        insert_new(connection, viewings, [new])
        return True
    # Whoever comes after a while is not to wait until the runner would be told anyway.
    again = {"publish_after": now} if row.until < now else {}
    connection.execute(update(viewings).where(viewings.c.id == row.id).values(until=until, **again))
    return True


@dataclass(frozen=True, slots=True)
class Look:
    """What there is to do for a results daemon."""

    #: Runners are to be told.
    due: bool
    #: Something lies about that nobody needs any more.
    stale: bool


def look(connection: Connection) -> Look:
    """Whether there is anything to do; two looks at small tables, which are empty as a rule."""
    now = database_now(connection)
    due = select(viewings.c.id).where(viewings.c.publish_after <= now, viewings.c.until > now).limit(1)
    old = select(viewings.c.id).where(viewings.c.until < now - LINGER).limit(1)
    left = select(excerpts.c.id).where(excerpts.c.run_id.not_in(select(viewings.c.run_id))).limit(1)
    stale = connection.scalar(old) is not None or connection.scalar(left) is not None
    return Look(connection.scalar(due) is not None, stale)


def claim_viewings(connection: Connection) -> list[SentViewing]:
    """Take over telling the runners that are to be told now."""
    now = database_now(connection)
    wanted = (
        select(viewings.c.id)
        .where(viewings.c.publish_after <= now, viewings.c.until > now)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.scalars(wanted))
    if not ids:
        return []
    found = (
        select(viewings.c.run_id, viewings.c.until, runners.c.address, runs.c.status)
        .join(runs, runs.c.run_id == viewings.c.run_id)
        .join(runners, (runners.c.id == runs.c.runner) & runners.c.status.in_(ALIVE), isouter=True)
        .where(viewings.c.id.in_(ids))
        .order_by(viewings.c.id)
    )
    rows = connection.execute(found).all()
    connection.execute(update(viewings).where(viewings.c.id.in_(ids)).values(publish_after=now + REMIND))
    return [
        SentViewing(row.run_id, row.address, (row.until - now).total_seconds())
        for row in rows
        if row.status == Status.RUNNING
    ]


def record_excerpts(connection: Connection, received: Sequence[Excerpt]) -> None:
    """Keep what runners have sent, as far as somebody looks, and only the latest of each run."""
    sizes = {each.run_id: each.size for each in received}
    query = select(viewings).where(viewings.c.run_id.in_(sorted(sizes))).order_by(viewings.c.run_id)
    found = connection.execute(query.with_for_update()).mappings().all()
    now = database_now(connection)
    heard = [{**row, "heard_at": now, "size": sizes[row["run_id"]]} for row in found]
    update_rows(connection, viewings, heard)
    looked_at = {row["run_id"] for row in heard}
    rows = [_row(each) for each in received if each.run_id in looked_at and each.pieces]
    if rows:
        connection.execute(insert(excerpts), rows)
        _keep_latest(connection, {row["run_id"] for row in rows})


def forget_viewings(connection: Connection) -> None:
    """Delete what nobody has looked at for a while, and what was seen of it."""
    old = database_now(connection) - LINGER
    connection.execute(delete(viewings).where(viewings.c.until < old))
    connection.execute(delete(excerpts).where(excerpts.c.run_id.not_in(select(viewings.c.run_id))))


def _row(excerpt: Excerpt) -> dict[str, Any]:
    return {
        "run_id": excerpt.run_id,
        "start": excerpt.start,
        "stop": excerpt.stop,
        "pieces": excerpt.encode_pieces(),
    }


def _keep_latest(connection: Connection, run_ids: Collection[str]) -> None:
    size = func.sum(excerpts.c.stop - excerpts.c.start + EACH)
    from_the_latest = size.over(partition_by=excerpts.c.run_id, order_by=excerpts.c.id.desc())
    found = select(excerpts.c.id, from_the_latest.label("size")).where(excerpts.c.run_id.in_(sorted(run_ids)))
    each = found.subquery()
    old = sorted(connection.scalars(select(each.c.id).where(each.c.size > MOST_SEEN)))
    for some in chunks(old):
        connection.execute(delete(excerpts).where(excerpts.c.id.in_(some)))
