"""The categories for people: how it stands with the jobs of each, and who changed it last."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from cronq.database.access_tables import changes, latest_changes
from cronq.database.gateway import now as database_now
from cronq.database.reading.categories import CategoryRecord
from cronq.database.reading.changes import ChangeRecord, change_record
from cronq.database.reading.documents import StoredDocument, read_stored_document
from cronq.database.reading.job_search import JobFilter, Search
from cronq.database.tables import categories, jobs

ON_A_PAGE = 50
#: More jobs of a kind than that are not counted one by one.
_MANY = 100_000
#: The document of more jobs is not written for a page.
MOST_WRITTEN = 300


@dataclass(frozen=True, slots=True)
class CategoryView:
    """A category on the page of all of them."""

    category: CategoryRecord
    jobs: int
    failing: int
    paused: int
    #: None when nobody knows.
    changed: ChangeRecord | None


@dataclass(frozen=True, slots=True)
class CategoryListView:
    """Some of the categories by name."""

    now: datetime
    categories: tuple[CategoryView, ...]
    has_previous: bool
    has_next: bool


@dataclass(frozen=True, slots=True)
class CategoryPageView:
    """The page of one category."""

    now: datetime
    view: CategoryView
    #: None when there is too much in it for a page.
    document: StoredDocument | None


def read_category_list(connection: Connection, after: str | None, before: str | None) -> CategoryListView:
    """The first categories, or those after or before one of a name."""
    query = select(categories.c.id, categories.c.name).limit(ON_A_PAGE + 1)
    if before is not None:
        query = query.where(categories.c.name < before).order_by(categories.c.name.desc())
    elif after is not None:
        query = query.where(categories.c.name > after).order_by(categories.c.name)
    else:
        query = query.order_by(categories.c.name)
    found = [CategoryRecord(*row) for row in connection.execute(query)]
    more, found = len(found) > ON_A_PAGE, found[:ON_A_PAGE]
    now = database_now(connection)
    if before is not None:
        return CategoryListView(now, _views(connection, found[::-1], now), more, has_next=True)
    return CategoryListView(now, _views(connection, found, now), after is not None, more)


def read_category_page(connection: Connection, name: str) -> CategoryPageView | None:
    """A category with its document."""
    row = connection.execute(
        select(categories.c.id, categories.c.name).where(categories.c.name == name)
    ).first()
    if row is None:
        return None
    now = database_now(connection)
    (view,) = _views(connection, [CategoryRecord(*row)], now)
    document = read_stored_document(connection, name) if view.jobs <= MOST_WRITTEN else None
    return CategoryPageView(now, view, document)


def _views(
    connection: Connection, found: Collection[CategoryRecord], now: datetime
) -> tuple[CategoryView, ...]:
    ids = [each.id for each in found]
    live = select(jobs.c.category_id, func.count()).where(
        jobs.c.category_id.in_(ids), jobs.c.removed_at.is_(None)
    )
    counts = _counts(connection, live.group_by(jobs.c.category_id))
    failing, paused = (
        _counts(connection, _in(ids, state, now)) for state in (JobFilter.FAILING, JobFilter.PAUSED)
    )
    changed = _changed(connection, ids)
    return tuple(
        CategoryView(
            each,
            counts.get(each.id, 0),
            failing.get(each.id, 0),
            paused.get(each.id, 0),
            changed.get(each.id),
        )
        for each in found
    )


def _in(ids: Collection[int], state: JobFilter, now: datetime) -> Select[Any]:
    """Selects how many jobs of these categories are in a state, which an index leads to."""
    (source,) = Search(state=state).sources(None, now, _MANY)
    found = source.subquery()
    query = select(jobs.c.category_id, func.count()).join(found, found.c.id == jobs.c.id)
    return query.where(jobs.c.category_id.in_(ids), jobs.c.removed_at.is_(None)).group_by(jobs.c.category_id)


def _counts(connection: Connection, query: Select[Any]) -> Mapping[int, int]:
    return {row[0]: row[1] for row in connection.execute(query)}


def _changed(connection: Connection, ids: Collection[int]) -> Mapping[int, ChangeRecord]:
    query = select(latest_changes.c.category_id, changes).join(
        changes, changes.c.id == latest_changes.c.change_id
    )
    found = connection.execute(query.where(latest_changes.c.category_id.in_(ids)))
    return {row.category_id: change_record(row) for row in found}
