"""Runs as the ledger has them, and the events that were reported about them."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from cronq.database.output_tables import outputs
from cronq.database.reading.cursors import Cursor
from cronq.database.tables import definitions, events, orders, runs
from cronq.domain.kills import was_wanted
from cronq.domain.messages import Report
from cronq.domain.outputs import Output, decode_output
from cronq.domain.requests import RunRequest, decode_request
from cronq.domain.runs import TROUBLE, Status


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it is stored; all times are UTC."""

    #: Of its row in the ledger; None when the events of 0.27 are all that tells of it.
    id: int | None
    run_id: str
    #: None when 0.27 has removed its job.
    job_id: int | None
    status: Status
    reason: str | None = None
    #: None for a run by hand, and for all runs of 0.27. Of a row for several slots: the first of them.
    slot: datetime | None = None
    #: Of a row for several slots: the last of them, and how many they are.
    last_slot: datetime | None = None
    slots: int = 1
    attempt: int = 1
    #: A `Cause`, when its job's schedule did not ask for it.
    cause: str | None = None
    #: What it was made with; None when that is not known.
    definition_id: int | None = None
    queued_at: datetime | None = None
    published_at: datetime | None = None
    granted_at: datetime | None = None
    #: Start and end are by the runner's clock; of what was given up, the end is when that was done.
    started_at: datetime | None = None
    ended_at: datetime | None = None
    recorded_at: datetime | None = None
    publications: int = 0
    #: Of a run by hand: what was asked for, as `RunRequest.encode` wrote it.
    request: str | None = None
    runner: str | None = None
    host: str | None = None
    return_code: int | None = None
    #: Seconds, as the runner measured them.
    run_time: float | None = None
    #: Of an attempt that is not the first: the one before it.
    previous_run_id: str | None = None
    #: Whether there is an attempt after this one.
    superseded: bool = False

    @property
    def inherited(self) -> bool:
        """Whether 0.27 ran it, so that little is known about it."""
        return self.id is None

    @property
    def in_trouble(self) -> bool:
        """Whether it came to an end that somebody should look at."""
        return self.status in TROUBLE and not was_wanted(self.status, self.reason)

    @property
    def asked(self) -> RunRequest | None:
        """What was asked for, of a run by hand; None when nobody said anything."""
        return decode_request(self.request)

    @property
    def completed_at(self) -> datetime | None:
        """When it came to its final status, also if it was never started."""
        return (self.ended_at or self.recorded_at or self.queued_at) if self.status.final else None

    @property
    def given_up(self) -> bool:
        """Whether nobody knows how it ended, nor when: `ended_at` is the time when it was given up."""
        return self.status is Status.LOST and self.return_code is None and self.run_time is None

    @property
    def duration(self) -> timedelta | None:
        """How long its command ran; None: not yet known, or nobody knows."""
        if self.given_up:
            return None
        if self.run_time is not None:
            return timedelta(seconds=self.run_time)
        return self.ended_at - self.started_at if self.ended_at and self.started_at else None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One report about a run."""

    id: int
    job_id: int | None
    #: By the clock of the host.
    datetime: datetime | None
    run_id: str
    #: A `Report`, or what else 0.27 may have written.
    type: str
    host: str | None
    return_code: int | None
    #: Whether 0.27 wrote it.
    inherited: bool

    @property
    def ends(self) -> bool:
        """Whether it tells of an end."""
        return self.type != Report.STARTING


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, the latest first, and where the older ones begin, if there are any."""

    runs: tuple[RunRecord, ...]
    older: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What a run was made with; its job may have changed since."""

    command: str
    routing_key: str
    #: As `Rules.encode` wrote them.
    rules_text: str | None


@dataclass(frozen=True, slots=True)
class KillRecord:
    """What its runner is told about a run that is to be killed."""

    ordered_at: datetime
    reason: str


_COLUMNS = [runs.c[field.name] for field in fields(RunRecord)]


def select_runs() -> Select[Any]:
    """Selects what `ledger_records` reads."""
    return select(*_COLUMNS)


def ledger_records(connection: Connection, query: Select[Any]) -> list[RunRecord]:
    """Run a query that was made with `select_runs`, or that selects a part of the same columns."""
    return [_record(row) for row in connection.execute(query)]


def completions(connection: Connection, ids: Collection[int]) -> Mapping[int, datetime]:
    """When the runs of these rows, which have all ended, did so, by the id of the row."""
    at = func.coalesce(runs.c.ended_at, runs.c.recorded_at, runs.c.queued_at)
    rows = connection.execute(select(runs.c.id, at).where(runs.c.id.in_(sorted(ids)))) if ids else ()
    return {row_id: moment for row_id, moment in rows if moment is not None}


def select_events() -> Select[Any]:
    """Selects what `event_records` reads."""
    return select(events)


def event_records(connection: Connection, query: Select[Any]) -> list[EventRecord]:
    """Run a query that was made with `select_events`."""
    return [_event(row) for row in connection.execute(query)]


def in_ledger(connection: Connection, run_ids: Collection[str]) -> frozenset[str]:
    """Those of the run ids that have a row in the ledger."""
    query = select(runs.c.run_id).where(runs.c.run_id.in_(sorted(run_ids)))
    return frozenset(connection.scalars(query)) if run_ids else frozenset()


def find_events(connection: Connection, run_ids: Collection[str]) -> Mapping[str, tuple[EventRecord, ...]]:
    """All events of these runs in the order in which they were recorded, by run id."""
    found: dict[str, list[EventRecord]] = defaultdict(list)
    query = select_events().where(events.c.run_id.in_(sorted(run_ids))).order_by(events.c.id)
    for event in event_records(connection, query) if run_ids else ():
        found[event.run_id].append(event)
    return {run_id: tuple(each) for run_id, each in found.items()}


def find_made(connection: Connection, definition_id: int | None) -> Made | None:
    """What the definition of that id says."""
    columns = definitions.c.command, definitions.c.routing_key, definitions.c.rules
    row = connection.execute(select(*columns).where(definitions.c.id == definition_id)).first()
    return row and Made(row.command or "", row.routing_key or "", row.rules)


def find_kill(connection: Connection, run_id: str) -> KillRecord | None:
    """The first order to kill this run, done or not."""
    query = select(orders.c.ordered_at, orders.c.reason).where(orders.c.run_id == run_id)
    row = connection.execute(query.order_by(orders.c.id).limit(1)).first()
    return row and KillRecord(*row)


def find_output(connection: Connection, run_id: str) -> Output | None:
    """What is kept of the output of this run."""
    row = connection.execute(select(outputs.c.size, outputs.c.kept).where(outputs.c.run_id == run_id)).first()
    return row and decode_output(row.size, row.kept)


def _record(row: Row[Any]) -> RunRecord:
    return RunRecord(**(dict(row._mapping) | {"status": Status(row.status)}))


def _event(row: Row[Any]) -> EventRecord:
    return EventRecord(
        id=row.id,
        job_id=row.job_id,
        datetime=row.datetime,
        run_id=row.run_id,
        type=row.type or "",
        host=row.host,
        return_code=row.return_code,
        inherited=row.once is None,
    )
