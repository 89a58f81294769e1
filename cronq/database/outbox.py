"""Recorded runs on their way to the broker: published, confirmed, or to be published again.

A run that no runner has asked for may be published any number of times: the grant lets one start.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, and_, bindparam, case, func, select, update

from cronq.database.backfilling import go_on
from cronq.database.claims import PUBLISH_WITHIN
from cronq.database.gateway import now as database_now
from cronq.database.limits import release_all
from cronq.database.tables import definitions, jobs, runs
from cronq.domain.jobs import Publication
from cronq.domain.runs import Status

#: Seconds before a confirmed run that no runner has started is published again; doubled each time.
FIRST_PAUSE = 60
LONGEST_PAUSE = 3600
GONE_REASON = "its job was deleted before it started"


def pause_after(publications: int) -> timedelta:
    """How long to wait for a start after that many publications, before there is one more."""
    return timedelta(seconds=min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(publications - 1, 10)))


def mark_published(connection: Connection, confirmed: Sequence[Publication]) -> None:
    """The broker has taken responsibility for these.

    A runner may have asked before the confirm came. What was made of the run then stays: that it waits for
    others, or that it is to be published again at a certain time.
    """
    now = database_now(connection)
    claimed = defaultdict(list)
    for run in confirmed:
        claimed[run.publications + 1, run.publish_after].append(run.run_id)
    for (count, publish_after), run_ids in claimed.items():
        # Not `== publish_after`, which of None would make IS NULL.
        untouched = runs.c.publish_after == bindparam("claimed", publish_after)
        again: BindParameter[datetime] = bindparam("again", now + pause_after(count))
        still_queued = runs.c.status == Status.QUEUED.value
        connection.execute(
            update(runs)
            .where(runs.c.run_id.in_(run_ids))
            .values(
                published_at=func.coalesce(runs.c.published_at, now),
                publications=count,
                publish_after=case((still_queued & untouched, again), else_=runs.c.publish_after),
            )
        )


def mark_unroutable(connection: Connection, refused: Iterable[Publication]) -> None:
    """No queue takes these, so no runner ever will."""
    now = database_now(connection)
    by_key = defaultdict(list)
    for run in refused:
        by_key[run.routing_key].append(run.run_id)
    for routing_key, run_ids in by_key.items():
        reason = (
            f"no queue is bound to routing key {routing_key!r}: no runner that serves it has ever started"
        )
        connection.execute(
            update(runs)
            .where(and_(runs.c.run_id.in_(run_ids), runs.c.status == Status.QUEUED.value))
            .values(
                status=Status.UNROUTABLE.value,
                reason=reason[:1000],
                ended_at=now,
                recorded_at=now,
                publish_after=None,
            )
        )


def claim_unpublished(connection: Connection, limit: int) -> list[Publication]:
    """Take over queued runs that seem to have reached no one, or whose time has come, to publish them now."""
    release_all(connection)
    go_on(connection)
    now = database_now(connection)
    query = (
        select(runs.c.run_id)
        .where(runs.c.status == Status.QUEUED.value, runs.c.publish_after <= now)
        .order_by(runs.c.publish_after)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    run_ids = list(connection.scalars(query))
    if not run_ids:
        return []
    mine = runs.c.run_id.in_(run_ids)
    until = now + timedelta(seconds=PUBLISH_WITHIN)
    connection.execute(update(runs).where(mine).values(publish_after=until))
    # The jobs' rows are not locked: that would hide them from injectors that claim.
    found = [Publication(*row) for row in connection.execute(_publications().where(mine))]
    _skip(connection, set(run_ids) - {run.run_id for run in found}, now)
    return found


def _skip(connection: Connection, run_ids: Collection[str], now: datetime) -> None:
    """End runs of jobs whose rows are gone, as 0.27 deletes them; there is nothing left to publish."""
    if run_ids:
        ended = {"reason": GONE_REASON, "ended_at": now, "recorded_at": now, "publish_after": None}
        mine = runs.c.run_id.in_(run_ids)
        connection.execute(update(runs).where(mine).values(status=Status.SKIPPED.value, **ended))


def _publications() -> Select[Any]:
    return (
        select(
            runs.c.run_id,
            runs.c.job_id,
            jobs.c.name,
            definitions.c.command,
            definitions.c.routing_key,
            runs.c.slot,
            runs.c.attempt,
            runs.c.publications,
            definitions.c.rules,
            runs.c.request,
            runs.c.publish_after,
        )
        .join(jobs, jobs.c.id == runs.c.job_id)
        .join(definitions, definitions.c.id == runs.c.definition_id)
    )


def forget_published(connection: Connection) -> int:
    """Take every queued run for unpublished, as its broker has forgotten all; gives how many there are.

    What waits, for its time or for other runs of its job, was not with the broker.
    """
    now = database_now(connection)
    due = runs.c.publish_after.is_not(None), func.coalesce(runs.c.not_before, now) <= now
    result = connection.execute(
        update(runs).where(runs.c.status == Status.QUEUED.value, *due).values(publish_after=now)
    )
    return result.rowcount
