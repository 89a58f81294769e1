"""To which days the rows of the ledger belong, for who counts them and who reads what is not counted yet."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Date, Select, func, select

from cronq.database.bulk import chunks
from cronq.database.stored import read_schedule
from cronq.database.tables import backfills, definitions, runs
from cronq.domain.days import slots_by_day
from cronq.domain.errors import BadSchedule
from cronq.domain.runs import Cause, Status
from cronq.domain.schedules import Schedule


class Key(NamedTuple):
    """What is counted together."""

    job_id: int
    day: date
    status: Status


#: How many there are.
Sums = Mapping[Key, int]


class SeveralSlots(NamedTuple):
    """A row that stands for several slots."""

    id: int
    job_id: int
    definition_id: int | None
    status: str
    first: datetime
    last: datetime
    slots: int


#: The day of a slot or, of a run by hand, that on which it was asked for.
DAY = func.date(func.coalesce(runs.c.slot, runs.c.queued_at), type_=Date)
#: Rows for one slot, or by hand, that no other attempt came after.
ONE_BY_ONE = (runs.c.slots == 1) & ~runs.c.superseded
SEVERAL = select(
    runs.c.id,
    runs.c.job_id,
    runs.c.definition_id,
    runs.c.status,
    runs.c.slot,
    runs.c.last_slot,
    runs.c.slots,
).where(runs.c.slots > 1)

# Made once, as aliases of whole tables take their time.
_before = runs.alias("before")
_BEFORE = (
    (_before.c.job_id == runs.c.job_id)
    & (_before.c.slot == runs.c.slot)
    & (_before.c.attempt == runs.c.attempt - 1)
)
_DAY_BEFORE = func.date(_before.c.slot, type_=Date)
_MADE_UP_FOR = (
    select(_before.c.job_id, _DAY_BEFORE, _before.c.status, func.count())
    .select_from(runs.join(_before, _BEFORE))
    .where(_before.c.slots == 1, ~_before.c.superseded)
    .group_by(_before.c.job_id, _DAY_BEFORE, _before.c.status)
)


def by_day(which: ColumnElement[bool]) -> Select[Any]:
    """Selects job, day and status of those of these rows that count one by one, and how many they are."""
    query = select(runs.c.job_id, DAY, runs.c.status, func.count())
    return query.where(which, ONE_BY_ONE, DAY.is_not(None)).group_by(runs.c.job_id, DAY, runs.c.status)


def made_up_for(which: ColumnElement[bool]) -> Select[Any]:
    """Selects the same of the rows that a backfill has made these for: they do not count any more."""
    backfill = (runs.c.cause == Cause.BACKFILL.value) & runs.c.previous_run_id.is_(None)
    return _MADE_UP_FOR.where(which, backfill)


def sums_of(connection: Connection, query: Select[Any]) -> Sums:
    """What a query of this module gives."""
    return {
        Key(job_id, day, Status(status)): count for job_id, day, status, count in connection.execute(query)
    }


def spread(connection: Connection, rows: Sequence[SeveralSlots]) -> Sums:
    """The slots of rows that stand for several, less those that have a row of their own by now."""
    schedules = _schedules(connection, {row.definition_id for row in rows if row.definition_id})
    filled = _with_backfills(connection, {row.job_id for row in rows})
    found: Counter[Key] = Counter()
    for row in rows:
        own = _slots_with_rows(connection, row) if row.job_id in filled else {}
        schedule = schedules.get(row.definition_id or 0)
        days = {row.first.date(): row.slots}
        if schedule is not None:
            days = slots_by_day(schedule, row.first, row.last)
        for day, count in days.items():
            found[Key(row.job_id, day, Status(row.status))] += max(0, count - own.get(day, 0))
    return found


def _schedules(connection: Connection, ids: Collection[int]) -> dict[int, Schedule]:
    """Those that can be read, by the ids of definitions."""
    columns = definitions.c.id, definitions.c.schedule, definitions.c.anchor, definitions.c.interval
    found = {}
    for some in chunks(sorted(ids)):
        for row in connection.execute(select(*columns).where(definitions.c.id.in_(some))):
            with suppress(BadSchedule):  # somebody has changed it in the database; an audit says so
                found[row.id] = read_schedule(row.schedule, row.anchor, row.interval)
    return found


def _with_backfills(connection: Connection, job_ids: Collection[int]) -> set[int]:
    return {
        job_id
        for some in chunks(sorted(job_ids))
        for job_id in connection.scalars(
            select(backfills.c.job_id).where(backfills.c.job_id.in_(some)).distinct()
        )
    }


def _slots_with_rows(connection: Connection, row: SeveralSlots) -> dict[date, int]:
    """How many of its slots have a row of their own, by day."""
    day = func.date(runs.c.slot, type_=Date)
    mine = runs.c.job_id == row.job_id, runs.c.slot.between(row.first, row.last), runs.c.id != row.id
    query = select(day, func.count(runs.c.slot.distinct())).where(*mine).group_by(day)
    return {row[0]: row[1] for row in connection.execute(query)}
