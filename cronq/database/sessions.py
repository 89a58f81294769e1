"""Who is logged in: kept by the digest of a secret that only the browser has."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import Connection, delete, insert, select, update

from cronq.database.access_tables import sessions, users
from cronq.database.changes import Change, record_change
from cronq.database.gateway import now as database_now
from cronq.database.users import UserRecord, user_of
from cronq.domain.access import Actor
from cronq.domain.changes import Action
from cronq.domain.errors import NotPossible

#: A session ends when it was not used for so long, and in any case after its lifetime.
IDLE, LIFETIME = timedelta(days=3), timedelta(days=30)
#: What was seen a shorter time ago is not written down again.
FRESH = timedelta(minutes=5)
LONGEST_BROWSER, LONGEST_ADDRESS = 255, 128


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A login that has not ended."""

    id: int
    digest: str
    begun_at: datetime
    seen_at: datetime
    address: str
    browser: str


def digest_of(secret: str) -> str:
    """What is stored of a secret that has been made of enough random bits."""
    return sha256(secret.encode()).hexdigest()


def begin_session(
    connection: Connection, user: UserRecord, address: str, browser: str, replaced: str | None
) -> str:
    """Log a user in; gives the secret. Ends the session of the digest `replaced`, and all that are over.

    Raises `NotPossible` when the user, or the password, is not what it was any more.
    """
    now = database_now(connection)
    query = select(users.c.password).where(users.c.id == user.id).with_for_update()
    if connection.scalar(query) != user.password:
        raise NotPossible("This password was changed just now.")
    if replaced is not None:
        end_session(connection, replaced)
    connection.execute(delete(sessions).where(sessions.c.ends_at < now))
    secret = secrets.token_urlsafe(32)
    values = {
        "digest": digest_of(secret),
        "user_id": user.id,
        "begun_at": now,
        "seen_at": now,
        "ends_at": now + LIFETIME,
        "address": address[:LONGEST_ADDRESS],
        "browser": browser[:LONGEST_BROWSER],
    }
    connection.execute(insert(sessions).values(values))
    connection.execute(update(users).where(users.c.id == user.id).values(logged_in_at=now))
    return secret


def find_session(connection: Connection, digest: str) -> tuple[UserRecord, bool] | None:
    """Whose session has that digest, and whether it is time to say that it was seen; None: it has ended."""
    now = database_now(connection)
    query = (
        select(users, sessions.c.seen_at)
        .join(sessions, sessions.c.user_id == users.c.id)
        .where(sessions.c.digest == digest, sessions.c.ends_at > now, sessions.c.seen_at > now - IDLE)
    )
    row = connection.execute(query).first()
    return None if row is None else (user_of(row), row.seen_at < now - FRESH)


def see_session(connection: Connection, digest: str) -> None:
    """Note that it is used."""
    now = database_now(connection)
    connection.execute(update(sessions).where(sessions.c.digest == digest).values(seen_at=now))


def sessions_of(connection: Connection, user_id: int) -> list[SessionRecord]:
    """The logins of a user that have not ended, the latest first."""
    now = database_now(connection)
    query = (
        select(sessions)
        .where(sessions.c.user_id == user_id, sessions.c.ends_at > now, sessions.c.seen_at > now - IDLE)
        .order_by(sessions.c.id.desc())
    )
    return [
        SessionRecord(row.id, row.digest, row.begun_at, row.seen_at, row.address, row.browser)
        for row in connection.execute(query)
    ]


def end_session(connection: Connection, digest: str) -> None:
    """Log out."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest))


def end_sessions(connection: Connection, by: Actor, name: str) -> int:
    """Log a user out everywhere; gives how many sessions have ended. Raises `NotPossible`."""
    user_id = connection.scalar(select(users.c.id).where(users.c.name == name))
    if user_id is None:
        raise NotPossible(f"There is no user {name}.")
    ended = connection.execute(delete(sessions).where(sessions.c.user_id == user_id)).rowcount
    if ended:
        record_change(connection, by, Change(Action.USER_LOGGED_OUT, name, before={"sessions": ended}))
    return ended
