"""The runs of one job, however many they are: all of them or those that are searched for, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from cronq.database.day_rows import DAY
from cronq.database.reading import run_windows
from cronq.database.reading.cursors import LATEST, LATEST_INHERITED, Cursor, Place, Source
from cronq.database.reading.inherited import Inheritance
from cronq.database.reading.loose_ends import few_by_hand, ids_of_runs
from cronq.database.reading.run_windows import Part, find_ids
from cronq.database.reading.runs import RunRecord, ledger_records, select_runs
from cronq.database.tables import runs
from cronq.domain.days import bounds
from cronq.domain.runs import Cause, Status

#: How far back it is looked for a row for several slots that reaches into a day.
_MOST_FILLED = 1000
#: Clocks go back by less than this, so ids ascend with the time.
_AROUND = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class JobRunSearch:
    """Which runs of a job; everything that is given must hold."""

    status: Status | None = None
    by_hand: bool = False
    #: Of UTC.
    day: date | None = None

    def __bool__(self) -> bool:
        """Whether it asks for less than all."""
        return self.status is not None or self.by_hand or self.day is not None


@dataclass(frozen=True, slots=True)
class JobRuns:
    """A page of them, the latest first."""

    runs: tuple[RunRecord, ...]
    #: Where there are more; None: nowhere.
    newer: Cursor | None = None
    older: Cursor | None = None
    #: How many were looked through without finding enough, and the day of the last of them; there are more.
    looked_through: int | None = None
    looked_back_to: date | None = None
    #: Whether cronq 0.27 has left runs, among which nobody has searched.
    not_searched: bool = False


def read_job_runs(
    connection: Connection, job_id: int, search: JobRunSearch, place: Place, limit: int
) -> JobRuns:
    """At most `limit` runs of a job next to that place."""
    if place.cursor.source is Source.EVENTS:
        found = Inheritance(connection).runs(job_id, place.cursor.below, limit)
        return JobRuns(found.runs, LATEST, found.older)
    parts = _parts(connection, job_id, search)
    page = _page(connection, parts, search.status, place, limit)
    if place.newer and page.newer is None:
        page = _page(connection, parts, search.status, Place(), limit)  # with all that has come since
    if page.older is not None:
        return page
    return _with_inherited(connection, job_id, search, page, limit)


def _with_inherited(
    connection: Connection, job_id: int, search: JobRunSearch, page: JobRuns, limit: int
) -> JobRuns:
    """The end of what is in the ledger, and then what 0.27 has left."""
    rest = Inheritance(connection).runs(
        job_id, LATEST_INHERITED.below, 1 if search else limit - len(page.runs)
    )
    if search:
        return JobRuns(page.runs, page.newer, not_searched=bool(rest.runs))
    return JobRuns((*page.runs, *rest.runs), page.newer, rest.older)


def _parts(connection: Connection, job_id: int, search: JobRunSearch) -> list[Part]:
    """Which runs are meant but for their status: those of each part are found in order by an index."""
    mine = runs.c.job_id == job_id
    by_hand = mine, runs.c.slot.is_(None)
    if search.day is not None:
        first, end = bounds(search.day)
        asked = (
            *_asked_around(connection, job_id, first, end),
            runs.c.queued_at >= first,
            runs.c.queued_at < end,
        )
        if search.by_hand:
            return [(*by_hand, *asked)]
        slots = mine, runs.c.slot >= first, runs.c.slot < end
        return [slots, (*by_hand, *asked), (runs.c.id.in_(_reaching(connection, job_id, first)),)]
    if search.by_hand:
        return [(*by_hand, runs.c.attempt == 1), (*by_hand, runs.c.attempt > 1)]
    return [(mine,)]


def _asked_around(connection: Connection, job_id: int, first: datetime, end: datetime) -> Part:
    """Between which ids the runs by hand of a time are, for a job that has many of them."""
    if few_by_hand(connection, job_id):
        return ()
    made = ids_of_runs(connection, first).start, ids_of_runs(connection, end + 2 * _AROUND).start
    return (runs.c.id.between(*made),)


def _reaching(connection: Connection, job_id: int, first: datetime) -> list[int]:
    """The row for several slots, if there is one, that begins before a day and reaches into it."""
    # By the index alone, as for whole rows MariaDB would sort all that the job ever had.
    before = select(runs.c.id).where(runs.c.job_id == job_id, runs.c.slot < first)
    before = before.order_by(runs.c.slot.desc(), runs.c.attempt.desc())
    rows = select(runs.c.id, runs.c.last_slot, runs.c.cause)
    for limit in (1, _MOST_FILLED):
        ids = connection.scalars(before.limit(limit)).all()
        found = {row.id: row for row in connection.execute(rows.where(runs.c.id.in_(ids)))} if ids else {}
        for row in (found[run_id] for run_id in ids):
            if row.cause != Cause.BACKFILL:  # else it may lie within the one that is looked for
                return [row.id] if row.last_slot is not None and row.last_slot >= first else []
    return []


def _page(
    connection: Connection, parts: Sequence[Part], status: Status | None, place: Place, limit: int
) -> JobRuns:
    ids, rest = find_ids(connection, parts, () if status is None else (status,), place, limit)
    looked: tuple[int | None, date | None] = None, None
    if rest is not None and len(ids) < limit:
        looked = run_windows.WINDOW, connection.scalar(select(DAY).where(runs.c.id == rest))
    found = ledger_records(connection, select_runs().where(runs.c.id.in_(ids)).order_by(runs.c.id.desc()))
    beyond = None if rest is None else _cursor(rest + 1 if place.newer else rest)
    if place.newer:
        back = _cursor(min(ids)) if ids else place.cursor
        return JobRuns(tuple(found), beyond, back, *looked)
    back = _cursor(max(ids) + 1) if ids else place.cursor
    return JobRuns(tuple(found), None if place == Place() else back, beyond, *looked)


def _cursor(below: int) -> Cursor:
    return Cursor(Source.LEDGER, below)
