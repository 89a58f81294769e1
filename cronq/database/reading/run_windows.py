"""Runs next to a place in the ledger, however many there are: read off the ends of indexes.

No index knows both the job and the status of a run. So those of a job that have some status are looked for
among the next runs of the job, in a window of bounded size; then a page may have few of them, or none, and
yet there are more.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, union_all

from cronq.database.reading.cursors import Place
from cronq.database.tables import runs
from cronq.domain.runs import Status

#: So many runs are looked through for one page.
WINDOW = 5000

#: Must all hold for a run of a part; the runs of each part are found in order by an index.
Part = Sequence[ColumnElement[bool]]


def find_ids(
    connection: Connection, parts: Sequence[Part], statuses: Collection[Status], place: Place, limit: int
) -> tuple[list[int], int | None]:
    """At most `limit` ids of runs of some parts that come next to a place, the nearest first.

    With statuses, of the next `WINDOW` runs those that have one of them. Beside them is given the last one
    that was looked at, if there are more after it.
    """
    if statuses:
        return _through_window(connection, parts, statuses, place, limit)
    ids = list(connection.scalars(_next_ids(parts, place, limit + 1)))
    return ids[:limit], ids[limit - 1] if len(ids) > limit else None


def _through_window(
    connection: Connection, parts: Sequence[Part], statuses: Collection[Status], place: Place, limit: int
) -> tuple[list[int], int | None]:
    window = _next_ids(parts, place, WINDOW).subquery()
    order = runs.c.id.asc() if place.newer else runs.c.id.desc()
    wanted = runs.c.status.in_(sorted(status.value for status in statuses))
    joined = select(runs.c.id).join(window, window.c.id == runs.c.id).where(wanted)
    ids = list(connection.scalars(joined.order_by(order).limit(limit + 1)))
    if len(ids) > limit:
        return ids[:limit], ids[limit - 1]
    last = func.max(window.c.id) if place.newer else func.min(window.c.id)
    count, end = connection.execute(select(func.count(), last).select_from(window)).one()
    return ids, end if count >= WINDOW else None


def _next_ids(parts: Sequence[Part], place: Place, count: int) -> Select[Any]:
    """Selects so many of the ids next to a place, the nearest first."""
    at, newer = place.cursor.below, place.newer
    bound = runs.c.id >= at if newer else runs.c.id < at
    order = runs.c.id.asc() if newer else runs.c.id.desc()
    # Each part by an index of its own, and by that alone: for whole rows MariaDB would first walk over all
    # that are not meant.
    ends = [select(runs.c.id).where(*part, bound).order_by(order).limit(count) for part in parts]
    if len(ends) == 1:
        return ends[0]
    together = union_all(*(select(end.subquery().c.id) for end in ends)).subquery()
    return select(together.c.id).order_by(together.c.id.asc() if newer else together.c.id.desc()).limit(count)
