"""Those who may log in."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from cronq.database.access_tables import sessions, users
from cronq.database.changes import Change, record_change
from cronq.database.gateway import now as database_now
from cronq.domain.access import Actor, Role
from cronq.domain.changes import Action, only_differing
from cronq.domain.errors import NotPossible


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user as stored."""

    id: int
    name: str
    role: Role
    #: The only categories in which the role may do more than look; None: all.
    categories: frozenset[str] | None
    #: The digest of the password; None: only a proxy can say that it is them.
    password: str | None
    added_at: datetime
    logged_in_at: datetime | None


def any_users(connection: Connection) -> bool:
    """Whether there are any."""
    return connection.execute(select(users.c.id).limit(1)).first() is not None


def list_users(connection: Connection) -> list[UserRecord]:
    """All of them by name."""
    return [user_of(row) for row in connection.execute(select(users).order_by(users.c.name))]


def find_user(connection: Connection, name: str) -> UserRecord | None:
    """The user of that name."""
    row = connection.execute(select(users).where(users.c.name == name)).first()
    return None if row is None else user_of(row)


def add_user(
    connection: Connection,
    by: Actor,
    name: str,
    role: Role,
    categories: frozenset[str] | None,
    password: str | None,
) -> None:
    """Add one, with the digest of a password; raises `NotPossible` when there is one of that name."""
    values = {"name": name, "password": password, "added_at": database_now(connection)}
    try:
        with connection.begin_nested():
            connection.execute(insert(users).values(values | rights_row(role, categories)))
    except IntegrityError as error:
        raise NotPossible(f"There is a user {name} already.") from error
    after = rights_state(role, categories) | _password_state(password)
    record_change(connection, by, Change(Action.USER_ADDED, name, after=after))


def change_user(
    connection: Connection, by: Actor, name: str, role: Role, categories: frozenset[str] | None
) -> None:
    """Give a user another role or limit; raises `NotPossible`."""
    user = _locked(connection, name)
    if user.role is Role.ADMIN and role is not Role.ADMIN:
        _check_other_admins(connection, name)
    before, after = only_differing(rights_state(user.role, user.categories), rights_state(role, categories))
    if after:
        row = rights_row(role, categories)
        connection.execute(update(users).where(users.c.id == user.id).values(row))
        record_change(connection, by, Change(Action.USER_CHANGED, name, before, after))


def set_password(connection: Connection, by: Actor, name: str, password: str | None) -> None:
    """Set the digest of a password, or that there is none, and end all sessions; raises `NotPossible`."""
    user = _locked(connection, name)
    connection.execute(update(users).where(users.c.id == user.id).values(password=password))
    connection.execute(delete(sessions).where(sessions.c.user_id == user.id))
    after = _password_state(password)
    record_change(connection, by, Change(Action.USER_PASSWORD, name, after=after))


def renew_digest(connection: Connection, user_id: int, old: str, new: str) -> None:
    """Replace the digest of a password by another of the same password, unless it has been changed since."""
    known = (users.c.id == user_id) & (users.c.password == old)
    connection.execute(update(users).where(known).values(password=new))


def remove_user(connection: Connection, by: Actor, name: str) -> None:
    """Remove one, whose sessions end; raises `NotPossible` for the last admin when there are others."""
    user = _locked(connection, name)
    if user.role is Role.ADMIN and len(list_users(connection)) > 1:
        _check_other_admins(connection, name)
    connection.execute(delete(sessions).where(sessions.c.user_id == user.id))
    connection.execute(delete(users).where(users.c.id == user.id))
    before = rights_state(user.role, user.categories)
    record_change(connection, by, Change(Action.USER_REMOVED, name, before=before))


def rights_row(role: Role, categories: frozenset[str] | None) -> dict[str, Any]:
    """What is stored of the rights of a user or token."""
    limit = None if categories is None else json.dumps(sorted(categories), ensure_ascii=False)
    return {"role": role.value, "categories": limit}


def rights_state(role: Role, categories: frozenset[str] | None) -> dict[str, Any]:
    """What the record of changes says of the rights of a user or token."""
    return {"role": role.value, "categories": None if categories is None else sorted(categories)}


def categories_of(stored: str | None) -> frozenset[str] | None:
    """The limit that `rights_row` has made."""
    return None if stored is None else frozenset(json.loads(stored))


def user_of(row: Row[Any]) -> UserRecord:
    """A row of `users`."""
    return UserRecord(
        row.id,
        row.name,
        Role(row.role),
        categories_of(row.categories),
        row.password,
        row.added_at,
        row.logged_in_at,
    )


def _password_state(digest: str | None) -> dict[str, str]:
    return {"password": "none" if digest is None else "set"}


def _locked(connection: Connection, name: str) -> UserRecord:
    # All of them in one order, so that two admins who remove each other do not both succeed.
    query = select(users).order_by(users.c.id).with_for_update()
    found = next((user_of(row) for row in connection.execute(query) if row.name == name), None)
    if found is None:
        raise NotPossible(f"There is no user {name}.")
    return found


def _check_other_admins(connection: Connection, name: str) -> None:
    others = select(func.count()).where(users.c.role == Role.ADMIN.value, users.c.name != name)
    if not connection.scalar(others):
        raise NotPossible(f"{name} is the last admin: make somebody else one first.")
