"""Tokens by which programs show who they are: kept by their digest."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cronq.database.access_tables import tokens
from cronq.database.changes import Change, record_change
from cronq.database.gateway import now as database_now
from cronq.database.sessions import FRESH, digest_of
from cronq.database.users import categories_of, rights_row, rights_state
from cronq.domain.access import Actor, Role
from cronq.domain.changes import Action
from cronq.domain.errors import NotPossible

#: By which scanners of sources and logs know a token.
PREFIX = "cq_"
_RANDOM_BYTES = 24
#: Characters that are shown of a token later.
HINT = len(PREFIX) + 6


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token as stored, without itself."""

    id: int
    name: str
    hint: str
    role: Role
    #: The only categories in which the role may do more than look; None: all.
    categories: frozenset[str] | None
    added_at: datetime
    added_by: str | None
    #: None: never.
    expires_at: datetime | None
    used_at: datetime | None


def add_token(
    connection: Connection,
    by: Actor,
    name: str,
    role: Role,
    categories: frozenset[str] | None,
    expires_at: datetime | None,
) -> str:
    """Make a token; gives it, and nobody can ever again. Raises `NotPossible`."""
    now = database_now(connection)
    if expires_at is not None and expires_at <= now:
        raise NotPossible("This token would have expired already.")
    token = PREFIX + secrets.token_hex(_RANDOM_BYTES)
    values = {
        "digest": digest_of(token),
        "hint": token[:HINT],
        "name": name,
        "added_at": now,
        "added_by": by.name,
        "expires_at": expires_at,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(tokens).values(values | rights_row(role, categories)))
    except IntegrityError as error:
        raise NotPossible(f"There is a token {name} already.") from error
    expiry = None if expires_at is None else expires_at.isoformat(timespec="seconds")
    after = rights_state(role, categories) | {"expires_at": expiry}
    record_change(connection, by, Change(Action.TOKEN_ADDED, name, after=after))
    return token


def revoke_token(connection: Connection, by: Actor, name: str) -> None:
    """Make a token worthless; raises `NotPossible` when there is none of that name."""
    row = connection.execute(select(tokens).where(tokens.c.name == name).with_for_update()).first()
    if row is None:
        raise NotPossible(f"There is no token {name}.")
    connection.execute(delete(tokens).where(tokens.c.id == row.id))
    before = rights_state(Role(row.role), categories_of(row.categories))
    record_change(connection, by, Change(Action.TOKEN_REVOKED, name, before=before))


def list_tokens(connection: Connection) -> list[TokenRecord]:
    """All of them by name, also those that have expired."""
    return [_token_of(row) for row in connection.execute(select(tokens).order_by(tokens.c.name))]


def find_token(connection: Connection, digest: str) -> tuple[TokenRecord, bool] | None:
    """The token of that digest, and whether it is time to say that it was used; None: it is worthless."""
    now = database_now(connection)
    row = connection.execute(select(tokens).where(tokens.c.digest == digest)).first()
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    return _token_of(row), row.used_at is None or row.used_at < now - FRESH


def use_token(connection: Connection, token_id: int) -> None:
    """Note that it is used."""
    now = database_now(connection)
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=now))


def _token_of(row: Row[Any]) -> TokenRecord:
    return TokenRecord(
        row.id,
        row.name,
        row.hint,
        Role(row.role),
        categories_of(row.categories),
        row.added_at,
        row.added_by,
        row.expires_at,
        row.used_at,
    )
