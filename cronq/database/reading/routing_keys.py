"""Which routing keys of jobs no runner serves, and what waits for a runner."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from cronq.database.tables import definitions, jobs, runners, runs
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.runs import Status

#: So many keys are told of.
MOST_KEYS = 20
#: So many runs that wait are looked at, those that were published first.
MOST_WAITING = 500
#: So many jobs of a key are counted.
MOST_JOBS = 1000

_LIVE = jobs.c.removed_at.is_(None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Runs of a routing key that have waited for a runner for too long."""

    runs: int
    since: datetime


def any_jobs(connection: Connection) -> bool:
    """Whether there are jobs that are not removed."""
    return connection.scalar(select(func.min(jobs.c.routing_key)).where(_LIVE)) is not None


def unserved_keys(connection: Connection, served: Collection[str]) -> list[str]:
    """The routing keys of jobs besides these, each found by one dive into an index."""
    others = select(jobs.c.routing_key).where(_LIVE, jobs.c.routing_key.not_in(sorted(served)))
    next_one = others.order_by(jobs.c.routing_key).limit(1)
    found: list[str] = []
    while len(found) < MOST_KEYS:
        key = connection.scalar(next_one.where(jobs.c.routing_key > found[-1]) if found else next_one)
        if key is None:
            break
        found.append(key)
    return found


def served_keys(connection: Connection) -> frozenset[str]:
    """The routing keys of the runners that are up."""
    up = select(runners.c.routing_keys).where(runners.c.status == RunnerStatus.UP.value).distinct()
    return frozenset(key for keys in connection.scalars(up) for key in json.loads(keys))


def count_jobs(connection: Connection, routing_key: str) -> int:
    """How many jobs have it, at most `MOST_JOBS`."""
    some = select(jobs.c.id).where(_LIVE, jobs.c.routing_key == routing_key).limit(MOST_JOBS).subquery()
    return connection.scalar(select(func.count()).select_from(some)) or 0


def waiting_runs(connection: Connection, before: datetime) -> Mapping[str, Waiting]:
    """By routing key: what was published, is queued since before then, and may start."""
    found: dict[str, list[datetime]] = defaultdict(list)
    for row in connection.execute(_waiting(before)):
        found[row.routing_key or ""].append(row.queued_at)
    return {key: Waiting(len(each), min(each)) for key, each in found.items()}


def _waiting(before: datetime) -> Select[Any]:
    oldest = (
        select(runs.c.definition_id, runs.c.queued_at, runs.c.publications)
        .where(runs.c.status == Status.QUEUED.value, runs.c.publish_after.is_not(None))
        .order_by(runs.c.publish_after)
        .limit(MOST_WAITING)
        .subquery()
    )
    return (
        select(definitions.c.routing_key, oldest.c.queued_at)
        .join(definitions, definitions.c.id == oldest.c.definition_id)
        .where(oldest.c.queued_at < before, oldest.c.publications > 0)
    )
