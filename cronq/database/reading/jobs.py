"""Lists of jobs: for programs by number of the page, for people by what stands on the page before."""

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from cronq.database.reading.records import JobRecord, JobState, job_records, select_jobs
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


@dataclass(frozen=True, slots=True)
class Search:
    """What a person looks for: everything that is given must hold."""

    #: Part of the name or the command, in any case of letters.
    text: str = ""
    #: The name of a category.
    category: str = ""
    state: JobState | None = None

    def __bool__(self) -> bool:
        """Whether it asks for less than all jobs."""
        return bool(self.text or self.category or self.state)


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs in order, and whether there are others before and behind them."""

    jobs: tuple[JobRecord, ...]
    has_previous: bool
    has_next: bool


def list_jobs(
    connection: Connection, selection: Selection, sort: Sort, *, offset: int, limit: int
) -> list[JobRecord]:
    """Jobs that are not removed; `offset` and `limit` count jobs."""
    query = select_jobs().where(_LIVE, *_selected(selection)).order_by(*_order(sort))
    return job_records(connection, query.offset(offset).limit(limit))


def search_jobs(
    connection: Connection,
    search: Search,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
) -> JobPage:
    """A page of jobs by category and name: the first, or the one after or before the job of that id."""
    query = select_jobs().where(_LIVE, *_searched(search)).limit(limit + 1)
    if before is not None:
        backwards = query.where(_beside(connection, before, forwards=False))
        found = job_records(connection, backwards.order_by(jobs.c.category_id.desc(), jobs.c.name.desc()))
        return JobPage(tuple(reversed(found[:limit])), has_previous=len(found) > limit, has_next=True)
    if after is not None:
        query = query.where(_beside(connection, after, forwards=True))
    found = job_records(connection, query.order_by(jobs.c.category_id, jobs.c.name))
    return JobPage(tuple(found[:limit]), has_previous=after is not None, has_next=len(found) > limit)


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


def _searched(search: Search) -> list[ColumnElement[bool]]:
    conditions = []
    if search.text:
        # The columns are compared byte by byte, so that names are exact; a person does not think of case.
        part = search.text.lower()
        columns = (jobs.c.name, jobs.c.command)
        conditions.append(or_(*(func.lower(column).contains(part, autoescape=True) for column in columns)))
    if search.category:
        conditions.append(_in_category(search.category))
    if search.state is not None:
        conditions.append(_in_state(search.state))
    return conditions


def _in_category(name: str) -> ColumnElement[bool]:
    wanted = select(categories.c.id).where(categories.c.name == name).scalar_subquery()
    return jobs.c.category_id == wanted


def _in_state(state: JobState) -> ColumnElement[bool]:
    if state is JobState.NONE:
        return and_(jobs.c.current_status.is_(None), jobs.c.last_run_status.is_(None))
    if state is JobState.STARTING:
        return jobs.c.current_status == state.value
    # By the last end: a job that failed is still failing while it is tried again.
    return jobs.c.last_run_status == state.value


def _order(sort: Sort) -> list[ColumnElement[Any]]:
    column, direction = sort.value.split(".")
    second = {"id": [], "name": [jobs.c.id], "category_id": [jobs.c.name]}[column]
    return [each.asc() if direction == "asc" else each.desc() for each in (jobs.c[column], *second)]


def _beside(connection: Connection, job_id: int, *, forwards: bool) -> ColumnElement[bool]:
    """The jobs on one side of this one in the order by category and name; all, when it does not exist."""
    place = connection.execute(select(jobs.c.category_id, jobs.c.name).where(jobs.c.id == job_id)).first()
    if place is None:
        return jobs.c.id.is_not(None)
    # Written out, since MariaDB finds no range in a comparison of tuples.
    category, name = jobs.c.category_id, jobs.c.name
    same = category == place.category_id
    if forwards:
        return or_(category > place.category_id, and_(same, name > place.name))
    return or_(category < place.category_id, and_(same, name < place.name))
