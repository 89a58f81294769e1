"""Deleting what has become old, a few rows at a time: ended runs, their events, and what they were made with.

Each transaction that deletes also moves the mark behind which no one looks for slots any more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, exists, select

from cronq.database.bulk import chunks
from cronq.database.gateway import now as database_now
from cronq.database.output_tables import outputs
from cronq.database.pruning import delete_inherited
from cronq.database.reading.inherited import Inheritance
from cronq.database.retention import move_mark
from cronq.database.tables import definitions, events, runs
from cronq.domain.durations import Duration
from cronq.domain.errors import BadSchedule
from cronq.domain.runs import OPEN, Status

#: Rows with greater ids were made later, as far as clocks do not go back by more than this.
_CLOCKS_GO_BACK = timedelta(days=1)
_OPEN = [status.value for status in OPEN]


def instant_before(connection: Connection, age: Duration) -> datetime:
    """What is before this is older than that, by the clock of the database; raises `BadSchedule`."""
    try:
        return age.before(database_now(connection))
    except OverflowError as error:
        raise BadSchedule(f"nothing is older than {age}") from error


def delete_runs(connection: Connection, before: datetime, after: int, size: int) -> tuple[int, int | None]:
    """Of the next `size` runs after that id, delete those that have ended and were due before an instant.

    Gives how many rows that were, events included, and the id after which to go on; None when there are no
    more that old.
    """
    query = select(runs.c.id, runs.c.status, runs.c.slot, runs.c.last_slot, runs.c.queued_at)
    found = connection.execute(query.where(runs.c.id > after).order_by(runs.c.id).limit(size)).all()
    old = [row.id for row in found if _is_old(row, before)]
    count = 0
    if old:
        move_mark(connection, before)
        count = sum(_delete_runs(connection, ids) for ids in chunks(old))
    if len(found) < size or (found[-1].queued_at or before) > before + _CLOCKS_GO_BACK:
        return count, None
    return count, found[-1].id


def delete_definitions(connection: Connection, before: datetime, size: int) -> int:
    """Delete at most `size` definitions of slots before an instant that no run is left of; gives how many."""
    mine = runs.c.job_id == definitions.c.job_id
    needed_by_slot = exists().where(mine, runs.c.slot <= definitions.c.until)
    needed_by_hand = exists().where(mine, runs.c.slot.is_(None), runs.c.definition_id == definitions.c.id)
    unneeded = select(definitions.c.id).where(definitions.c.until < before, ~needed_by_slot, ~needed_by_hand)
    ids = list(connection.scalars(unneeded.order_by(definitions.c.id).limit(size)))
    if ids:
        move_mark(connection, before)
    for some in chunks(ids):
        connection.execute(delete(definitions).where(definitions.c.id.in_(some)))
    return len(ids)


def last_inherited(connection: Connection) -> int:
    """The id of the last event of 0.27, or 0."""
    return Inheritance(connection).last


def delete_inherited_events(connection: Connection, before: datetime, first: int, last: int) -> int:
    """Delete those of these events that 0.27 wrote before an instant, of ended runs; gives how many."""
    count = delete_inherited(connection, before, first, last)
    if count:
        move_mark(connection, before)
    return count


def _is_old(row: Any, before: datetime) -> bool:
    moment = row.last_slot or row.slot or row.queued_at
    return moment is not None and moment < before and Status(row.status).final


def _delete_runs(connection: Connection, ids: Sequence[int]) -> int:
    # Locked and looked at again: a run that was given up for lost may have come back in this moment.
    query = select(runs.c.id, runs.c.run_id).where(runs.c.id.in_(ids), runs.c.status.not_in(_OPEN))
    ended = connection.execute(query.with_for_update()).all()
    if not ended:
        return 0
    run_ids = [row.run_id for row in ended]
    connection.execute(delete(outputs).where(outputs.c.run_id.in_(run_ids)))
    count = connection.execute(delete(events).where(events.c.run_id.in_(run_ids))).rowcount
    connection.execute(delete(runs).where(runs.c.id.in_([row.id for row in ended])))
    return count + len(ended)
