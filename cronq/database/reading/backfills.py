"""Backfills as they are read."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from cronq.database.tables import backfills, runs
from cronq.domain.backfilling import Order
from cronq.domain.runs import Status

#: The latest so many of a job.
MOST = 5


@dataclass(frozen=True, slots=True)
class BackfillRecord:
    """A backfill, and how far it has come."""

    id: int
    since: datetime
    until: datetime
    order: Order
    at_once: int
    reason: str | None
    asked_at: datetime
    #: How many slots there are, how many runs were made, and how many slots had run already.
    slots: int
    made: int
    passed: int
    ended_at: datetime | None
    stopped: str | None
    #: How many of its runs have which status.
    statuses: dict[Status, int]


def find_backfills(connection: Connection, job_id: int) -> list[BackfillRecord]:
    """The latest of a job, the latest first."""
    query = select(backfills).where(backfills.c.job_id == job_id).order_by(backfills.c.id.desc()).limit(MOST)
    found = connection.execute(query).all()
    statuses: dict[int, dict[Status, int]] = {row.id: {} for row in found}
    for row in found:
        # By the index over a job's slots.
        mine = (runs.c.job_id == job_id) & runs.c.slot.between(row.since, row.until)
        counts = select(runs.c.status, func.count()).where(mine, runs.c.backfill_id == row.id)
        for status, count in connection.execute(counts.group_by(runs.c.status)):
            statuses[row.id][Status(status)] = count
    return [
        BackfillRecord(
            row.id, row.since, row.until, Order.NEWEST if row.newest_first else Order.OLDEST, row.at_once,
            row.reason, row.asked_at, row.slots, row.made, row.passed, row.ended_at, row.stopped,
            statuses[row.id],
        )
        for row in found
    ]  # fmt: skip
