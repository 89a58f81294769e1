"""The categories, by id or by name."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from cronq.database.tables import categories


@dataclass(frozen=True, slots=True)
class CategoryRecord:
    """A category without its jobs."""

    id: int
    name: str


def list_categories(connection: Connection, category_id: int | None = None) -> list[CategoryRecord]:
    """All categories by id, or the one of that id, if there is one."""
    query = select(categories.c.id, categories.c.name).order_by(categories.c.id)
    if category_id is not None:
        query = query.where(categories.c.id == category_id)
    return [CategoryRecord(*row) for row in connection.execute(query)]


def find_category(connection: Connection, name: str) -> CategoryRecord | None:
    """The category of exactly that name."""
    query = select(categories.c.id, categories.c.name).where(categories.c.name == name)
    row = connection.execute(query).first()
    return row and CategoryRecord(*row)
