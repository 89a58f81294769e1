"""The runners, and what each of them runs."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from cronq.database.gateway import now as database_now
from cronq.database.orders import find_drain_orders
from cronq.database.reading.records import JobRecord, find_jobs
from cronq.database.reading.runs import RunRecord, ledger_records, select_runs
from cronq.database.tables import runners, runs
from cronq.domain.heartbeats import ALIVE, RunnerStatus
from cronq.domain.runs import Status

#: When no runner has been heard of for so long, it is rather that no results daemon is there to hear them.
UNHEARD_FOR = timedelta(minutes=1)
#: In the order in which people look at them.
STATUSES = RunnerStatus.UP, RunnerStatus.DRAINING, RunnerStatus.SILENT, RunnerStatus.STOPPED
_RANK = case({status.value: rank for rank, status in enumerate(STATUSES)}, value=runners.c.status)


@dataclass(frozen=True, slots=True)
class RunnerRecord:
    """A life of a runner, as results hears of it; all times are UTC, by the clock of the database."""

    id: str
    host: str
    version: str
    queue: str
    routing_keys: tuple[str, ...]
    #: How many commands it runs at once, and how many runs it has in hand.
    concurrency: int
    busy: int
    status: RunnerStatus
    #: Seconds by which its clock is ahead of the database's, the way of the message included.
    clock_ahead: float
    first_heard: datetime
    last_heard: datetime
    #: Since when it is ordered to drain; None when it is not, or is seen to do it.
    drain_ordered_at: datetime | None

    @property
    def clock_gap(self) -> timedelta:
        """What `clock_ahead` says."""
        return timedelta(seconds=self.clock_ahead)

    @property
    def told_to_drain(self) -> bool:
        """Whether it is about to begin to drain."""
        return self.status is RunnerStatus.UP and self.drain_ordered_at is not None


@dataclass(frozen=True, slots=True)
class RunnersView:
    """Some runners and what they run."""

    now: datetime
    runners: tuple[RunnerRecord, ...]
    #: What runs there, the oldest first, by the runner's id.
    runs: Mapping[str, tuple[RunRecord, ...]]
    #: The jobs of these runs, by id.
    jobs: Mapping[int, JobRecord]
    has_next: bool = False

    def silent_for(self, runner: RunnerRecord) -> timedelta:
        """How long ago it was heard of."""
        return max(self.now - runner.last_heard, timedelta(0))


@dataclass(frozen=True, slots=True)
class RunnerCounts:
    """How many runners there are."""

    by_status: Mapping[RunnerStatus, int]
    #: Since when nothing has been heard of any of them, though some should be heard.
    unheard_since: datetime | None

    @property
    def total(self) -> int:
        """Of all statuses."""
        return sum(self.by_status.values())


def read_runners(connection: Connection, status: RunnerStatus | None, offset: int, limit: int) -> RunnersView:
    """At most `limit` runners of one status, or of all, by id."""
    return _view(connection, _select(status).order_by(runners.c.id), offset, limit)


def read_runner_list(
    connection: Connection, status: RunnerStatus | None, offset: int, limit: int
) -> tuple[RunnersView, RunnerCounts]:
    """At most `limit` runners of one status, or of all, those that are up first; and how many there are."""
    view = _view(connection, _select(status).order_by(_RANK, runners.c.id), offset, limit)
    return view, count_runners(connection, view.now)


def read_runner(connection: Connection, name: str) -> RunnersView | None:
    """The runner of that id alone."""
    found = _view(connection, select(runners).where(runners.c.id == name), 0, 1)
    # Some servers compare without regard to case.
    return found if [runner.id for runner in found.runners] == [name] else None


def is_runner(connection: Connection, name: str) -> bool:
    """Whether there is a runner of that id, and it is not forgotten."""
    return bool(connection.scalar(select(runners.c.id).where(runners.c.id == name)) == name)


def count_runners(connection: Connection, now: datetime) -> RunnerCounts:
    """How many there are of each status."""
    query = select(runners.c.status, func.count(), func.max(runners.c.last_heard)).group_by(runners.c.status)
    found = {RunnerStatus(status): (count, heard) for status, count, heard in connection.execute(query)}
    heard = max((found[status][1] for status in ALIVE if status in found), default=now)
    return RunnerCounts(
        {status: found[status][0] if status in found else 0 for status in STATUSES},
        heard if heard < now - UNHEARD_FOR else None,
    )


def _select(status: RunnerStatus | None) -> Select[Any]:
    return select(runners) if status is None else select(runners).where(runners.c.status == status.value)


def _view(connection: Connection, query: Select[Any], offset: int, limit: int) -> RunnersView:
    rows = connection.execute(query.offset(offset).limit(limit + 1)).all()
    ids = [row.id for row in rows[:limit]]
    ordered = find_drain_orders(connection, ids)
    held = _running(connection, ids)
    job_ids = {run.job_id for each in held.values() for run in each if run.job_id is not None}
    return RunnersView(
        database_now(connection),
        tuple(_record(row, ordered.get(row.id)) for row in rows[:limit]),
        held,
        find_jobs(connection, job_ids),
        len(rows) > limit,
    )


def _running(connection: Connection, names: Collection[str]) -> dict[str, tuple[RunRecord, ...]]:
    here = runs.c.status == Status.RUNNING.value, runs.c.runner.in_(names)
    found = defaultdict(list)
    for run in ledger_records(connection, select_runs().where(*here).order_by(runs.c.id)) if names else ():
        found[run.runner or ""].append(run)
    return {name: tuple(found[name]) for name in names}


def _record(row: Row[Any], drain_ordered_at: datetime | None) -> RunnerRecord:
    obeyed = row.status in {RunnerStatus.DRAINING, RunnerStatus.STOPPED}
    return RunnerRecord(
        id=row.id,
        host=row.host,
        version=row.version,
        queue=row.queue,
        routing_keys=tuple(json.loads(row.routing_keys)),
        concurrency=row.concurrency,
        busy=row.busy,
        status=RunnerStatus(row.status),
        clock_ahead=row.clock_ahead,
        first_heard=row.first_heard,
        last_heard=row.last_heard,
        drain_ordered_at=None if obeyed else drain_ordered_at,
    )
