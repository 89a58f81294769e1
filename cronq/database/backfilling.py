"""Backfills: runs for slots of the past, made a few at a time, each slot once and none that has run."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, takewhile
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from cronq.database.bulk import CHUNK, chunks, insert_new
from cronq.database.definitions import define_jobs
from cronq.database.gateway import now as database_now
from cronq.database.jobs import record_job_change
from cronq.database.rows import new_row, skipped
from cronq.database.stored import StoredJob, locked_jobs, stored_jobs
from cronq.database.tables import backfills, jobs, runs
from cronq.domain.access import SHELL, Actor
from cronq.domain.backfilling import (
    CALLED_OFF,
    MOST_SLOTS,
    Order,
    has_run,
    is_undecided,
    slots_to_fill,
)
from cronq.domain.changes import Action
from cronq.domain.errors import BadSchedule
from cronq.domain.runs import OPEN, Cause, Status, new_run_ids
from cronq.domain.saturating import just_before

#: Backfills that one transaction goes on with.
AT_MOST = 20
#: How often one looks for slots that have not run, some hundred at a time.
MOST_LOOKS = 20
_OPEN = sorted(status.value for status in OPEN)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for."""

    since: datetime
    until: datetime
    order: Order
    at_once: int
    reason: str


def count_slots(connection: Connection, job_id: int, since: datetime, until: datetime) -> int | None:
    """How many slots lie in that time, as far as it has passed; None: no such job, or no schedule.

    It does not count further than to one more than can be asked for: several schedules together are counted
    slot by slot.
    """
    found = list(connection.execute(stored_jobs().where(jobs.c.id == job_id, jobs.c.removed_at.is_(None))))
    if not found:
        return None
    job = StoredJob(*found[0])
    try:
        until = min(until, database_now(connection))
        slots = job.schedule().slots_between(just_before(since), until) if until >= since else ()
        return sum(1 for _ in islice(slots, MOST_SLOTS + 1))
    except BadSchedule:
        return None


def begin_backfill(connection: Connection, job_id: int, wanted: Wanted, slots: int, by: Actor = SHELL) -> int:
    """Ask for a backfill of so many slots; injectors see to it. Gives its id."""
    now = database_now(connection)
    row: dict[str, Any] = {
        "job_id": job_id, "since": wanted.since, "until": min(wanted.until, now), "asked_at": now,
        "newest_first": wanted.order is Order.NEWEST, "at_once": wanted.at_once,
        "reason": wanted.reason[:1000] or None, "slots": slots,
    }  # fmt: skip
    result = connection.execute(insert(backfills).values(row))
    assert result.inserted_primary_key is not None
    said = {
        "from": f"{wanted.since.isoformat()}Z",
        "to": f"{row['until'].isoformat()}Z",
        "order": wanted.order.value,
        "at_once": wanted.at_once,
        "slots": slots,
        "reason": row["reason"],
    }
    record_job_change(connection, by, Action.BACKFILL_BEGUN, job_id, after=said)
    return int(result.inserted_primary_key[0])


def stop_backfill(connection: Connection, job_id: int, backfill_id: int, by: Actor = SHELL) -> bool:
    """Make no more runs nor attempts, and skip those that have not started; False when it has ended."""
    now = database_now(connection)
    mine = backfills.c.id == backfill_id, backfills.c.job_id == job_id, backfills.c.ended_at.is_(None)
    stopped = {"ended_at": now, "stopped": "somebody called it off"}
    if not connection.execute(update(backfills).where(*mine).values(stopped)).rowcount:
        return False
    waiting = (
        runs.c.status == Status.QUEUED.value,
        runs.c.job_id + 0 == job_id,
        runs.c.backfill_id == backfill_id,
    )
    connection.execute(update(runs).where(*waiting).values(skipped(CALLED_OFF, now)))
    record_job_change(connection, by, Action.BACKFILL_STOPPED, job_id, before={"id": backfill_id})
    return True


def called_off(connection: Connection, run_ids: Collection[str]) -> set[str]:
    """Those of these runs whose backfill was ended early."""
    stopped = select(runs.c.run_id).join(backfills, backfills.c.id == runs.c.backfill_id)
    stopped = stopped.where(backfills.c.stopped.is_not(None))
    return {
        run_id
        for some in chunks(sorted(run_ids))
        for run_id in connection.scalars(stopped.where(runs.c.run_id.in_(some)))
    }


def go_on(connection: Connection) -> None:
    """Make the next runs of each backfill, as many as may be open at once."""
    going = select(backfills).where(backfills.c.ended_at.is_(None)).order_by(backfills.c.id).limit(AT_MOST)
    for row in connection.execute(going.with_for_update(skip_locked=True)).all():
        changed = _go_on(connection, row, database_now(connection))
        connection.execute(update(backfills).where(backfills.c.id == row.id).values(changed))


def _go_on(connection: Connection, row: Row[Any], now: datetime) -> dict[str, Any]:
    mine = stored_jobs().where(jobs.c.id == row.job_id, jobs.c.removed_at.is_(None))
    found = define_jobs(connection, locked_jobs(connection, mine), now)
    if not found:
        return {"ended_at": now, "stopped": "its job was removed"}
    if found[0].next_run is not None and found[0].next_run <= row.until:
        return {"ended_at": None}  # an injector has yet to say what becomes of the latest of these slots
    mine_open = runs.c.status.in_(_OPEN), runs.c.backfill_id == row.id
    still_open = connection.scalar(select(func.count()).select_from(runs).where(*mine_open)) or 0
    try:
        schedule = found[0].schedule()
    except BadSchedule as error:
        return {"ended_at": now, "stopped": str(error)[:255]}
    order = Order.NEWEST if row.newest_first else Order.OLDEST
    until = min(row.until, found[0].books_closed(now))
    slots = slots_to_fill(schedule, row.since, until, order, row.reached)
    filling = _Filling(row.reached, row.at_once - still_open)
    for _ in range(MOST_LOOKS):
        some = list(islice(slots, CHUNK)) if filling.room > 0 and not filling.waits else []
        if not some:
            break
        insert_new(connection, runs, _rows(found[0], row.id, filling.take(connection, row.job_id, some), now))
    ended = filling.room > 0 and not (some or filling.waits or still_open or filling.made)
    return {
        "reached": filling.reached,
        "made": row.made + filling.made,
        "passed": row.passed + filling.passed,
        "ended_at": now if ended else None,
    }


@dataclass(slots=True)
class _Filling:
    """How far a backfill has come."""

    reached: datetime | None
    room: int
    made: int = 0
    passed: int = 0
    #: Whether it has come to a slot of which nobody can say yet whether it runs without it.
    waits: bool = False

    def take(
        self, connection: Connection, job_id: int, slots: Sequence[datetime]
    ) -> list[tuple[datetime, int]]:
        """As many of the slots as there is room for, without those that have run, each with the attempt that
        its run will be.
        """
        known = _known(connection, job_id, slots)
        decided = list(takewhile(lambda slot: not is_undecided(known[slot].values()), slots))
        self.waits = len(decided) < len(slots)
        free = [slot for slot in decided if not has_run(known[slot].values())][: self.room]
        self.room -= len(free)
        self.made += len(free)
        if decided:
            self.reached = decided[-1] if self.room else free[-1]
            self.passed += decided.index(self.reached) + 1 - len(free)
        return [(slot, max(known[slot], default=0) + 1) for slot in free]


def _known(
    connection: Connection, job_id: int, slots: Sequence[datetime]
) -> Mapping[datetime, Mapping[int, Status]]:
    """What there is of these slots: the status of each attempt."""
    known: dict[datetime, dict[int, Status]] = defaultdict(dict)
    rows = select(runs.c.slot, runs.c.attempt, runs.c.status).where(
        runs.c.job_id == job_id, runs.c.slot.in_(slots)
    )
    for slot, attempt, status in connection.execute(rows):
        known[slot][attempt] = Status(status)
    return known


def _rows(
    job: StoredJob, backfill_id: int, free: Sequence[tuple[datetime, int]], now: datetime
) -> list[dict[str, Any]]:
    made = {"status": Status.QUEUED.value, "publish_after": now, "cause": Cause.BACKFILL.value}
    return [
        new_row(job, now)
        | made
        | {"run_id": run_id, "slot": slot, "attempt": attempt, "backfill_id": backfill_id}
        for (slot, attempt), run_id in zip(free, new_run_ids(now, len(free)), strict=True)
    ]
