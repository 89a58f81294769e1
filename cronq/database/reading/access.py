"""What the page Access shows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from cronq.database.gateway import now as database_now
from cronq.database.sessions import SessionRecord, sessions_of
from cronq.database.tokens import TokenRecord, list_tokens
from cronq.database.users import UserRecord, list_users
from cronq.domain.access import Caller, Role


@dataclass(frozen=True, slots=True)
class AccessView:
    """What the page shows."""

    now: datetime
    sessions: list[SessionRecord]
    #: Empty unless it is for an admin, as are the tokens.
    users: list[UserRecord]
    tokens: list[TokenRecord]


def read_access(connection: Connection, caller: Caller) -> AccessView:
    """What the caller may see of it."""
    admin = caller.role is Role.ADMIN
    return AccessView(
        database_now(connection),
        [] if caller.user_id is None else sessions_of(connection, caller.user_id),
        list_users(connection) if admin else [],
        list_tokens(connection) if admin else [],
    )
