"""The record of what people change: each change writes its row in the transaction that makes it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert

from cronq.database.access_tables import changes
from cronq.database.bulk import insert_rows
from cronq.database.gateway import now as database_now
from cronq.domain.access import Actor
from cronq.domain.changes import Action, State


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to one thing."""

    action: Action
    subject: str
    before: State | None = None
    after: State | None = None
    job_id: int | None = None


def record_change(connection: Connection, by: Actor, change: Change) -> int:
    """Write down who did it; gives the id of the row, of which other changes may be a part."""
    key = connection.execute(
        insert(changes).values(_row(by, change, database_now(connection)))
    ).inserted_primary_key
    assert key is not None
    return int(key[0])


def record_parts(connection: Connection, by: Actor, whole: int, parts: Iterable[Change]) -> None:
    """Write down what a change consists of."""
    now = database_now(connection)
    insert_rows(connection, changes, [_row(by, part, now) | {"part_of": whole} for part in parts])


def _row(by: Actor, change: Change, now: datetime) -> dict[str, Any]:
    return {
        "at": now,
        "who": by.name,
        "via": by.via.value,
        "address": by.address,
        "action": change.action.value,
        "subject": change.subject,
        "job_id": change.job_id,
        "before": _json(change.before),
        "after": _json(change.after),
    }


def _json(state: State | None) -> str | None:
    return None if state is None else json.dumps(state, ensure_ascii=False)
