"""What people have changed, from the latest on."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from cronq.database.access_tables import changes
from cronq.database.gateway import now as database_now
from cronq.domain.access import Via
from cronq.domain.changes import Action, Difference, State, differences


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """A change as it was written down."""

    id: int
    at: datetime
    #: None: nobody had to say who they are.
    who: str | None
    via: Via
    address: str | None
    #: An `Action`, or what another version writes.
    action: str
    subject: str
    job_id: int | None
    part_of: int | None
    before: State | None
    after: State | None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What is not as it was."""
        return differences(self.before, self.after)

    @property
    def has_parts(self) -> bool:
        """Whether it consists of changes of its own."""
        return self.action == Action.CATEGORY_REPLACED


@dataclass(frozen=True, slots=True)
class ChangeSearch:
    """Which changes; each that is not None narrows it down."""

    who: str | None = None
    action: Action | None = None
    job_id: int | None = None
    #: The change of which they are a part. Without any of these, parts are not shown beside their whole.
    part_of: int | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Some of the changes, and where those that are older begin."""

    now: datetime
    changes: Sequence[ChangeRecord]
    #: The id before which they go on; None: there are no more.
    older: int | None


def read_changes(
    connection: Connection, search: ChangeSearch, limit: int, before: int | None = None
) -> ChangePage:
    """The latest changes, or those before one of an id."""
    query = _narrowed(select(changes), search).order_by(changes.c.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(changes.c.id < before)
    found = [change_record(row) for row in connection.execute(query)]
    older = found[limit - 1].id if len(found) > limit else None
    return ChangePage(database_now(connection), found[:limit], older)


def _narrowed(query: Select[Any], search: ChangeSearch) -> Select[Any]:
    wanted = {
        changes.c.who: search.who,
        changes.c.action: search.action,
        changes.c.job_id: search.job_id,
        changes.c.part_of: search.part_of,
    }
    chosen = {column: value for column, value in wanted.items() if value is not None}
    for column, value in chosen.items():
        query = query.where(column == value)
    if not chosen.keys() & {changes.c.action, changes.c.job_id, changes.c.part_of}:
        query = query.where(changes.c.part_of.is_(None))
    return query


def change_record(row: Row[Any]) -> ChangeRecord:
    """The change of a row that has all columns of `changes`."""
    return ChangeRecord(
        row.id,
        row.at,
        row.who,
        Via(row.via),
        row.address,
        row.action,
        row.subject,
        row.job_id,
        row.part_of,
        None if row.before is None else json.loads(row.before),
        None if row.after is None else json.loads(row.after),
    )
