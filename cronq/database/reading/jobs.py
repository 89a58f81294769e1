"""Lists of jobs for programs, by the number of the page."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from cronq.database.reading.records import JobRecord, find_jobs
from cronq.database.tables import categories, jobs

_LIVE = jobs.c.removed_at.is_(None)


class Sort(enum.StrEnum):
    """The orders in which a program can list jobs."""

    ID_ASC = "id.asc"
    ID_DESC = "id.desc"
    NAME_ASC = "name.asc"
    NAME_DESC = "name.desc"
    CATEGORY_ASC = "category_id.asc"
    CATEGORY_DESC = "category_id.desc"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which jobs are meant: those for which everything holds that is not None."""

    id: int | None = None
    category_id: int | None = None
    category_name: str | None = None


def list_jobs(
    connection: Connection, selection: Selection, sort: Sort, *, offset: int, limit: int
) -> list[JobRecord]:
    """Jobs that are not removed; `offset` and `limit` count jobs."""
    # Many are passed over, for which their places in an index are enough.
    query = select(jobs.c.id).where(_LIVE, *_selected(selection)).order_by(*_order(sort))
    ids = connection.scalars(query.offset(offset).limit(limit)).all()
    found = find_jobs(connection, set(ids))
    return [found[job_id] for job_id in ids]


def oldest_due(connection: Connection) -> datetime | None:
    """The first slot of any job that no one has accounted for, be it past or to come."""
    return connection.execute(select(func.min(jobs.c.next_run))).scalar()


def _selected(selection: Selection) -> list[ColumnElement[bool]]:
    conditions = []
    if selection.id is not None:
        conditions.append(jobs.c.id == selection.id)
    if selection.category_id is not None:
        conditions.append(jobs.c.category_id == selection.category_id)
    if selection.category_name is not None:
        conditions.append(_in_category(selection.category_name))
    return conditions


def _in_category(name: str) -> ColumnElement[bool]:
    wanted = select(categories.c.id).where(categories.c.name == name).scalar_subquery()
    return jobs.c.category_id == wanted


def _order(sort: Sort) -> list[ColumnElement[Any]]:
    column, direction = sort.value.split(".")
    second = {"id": [], "name": [jobs.c.id], "category_id": [jobs.c.name]}[column]
    return [each.asc() if direction == "asc" else each.desc() for each in (jobs.c[column], *second)]
