"""The key that signs what only this installation may have made."""

import secrets

from sqlalchemy import Connection, select

from cronq.database.kept import keep_first
from cronq.database.tables import settings

_NAME = "secret_key"


def keep_secret_key(connection: Connection) -> str:
    """The key that is kept in the database; makes one at first. Of several that make one, the first wins."""
    kept = select(settings.c.value).where(settings.c.name == _NAME)
    found: str | None = connection.execute(kept).scalar()
    if found is not None:
        return found
    keep_first(connection, _NAME, secrets.token_hex(32))
    won: str = connection.execute(kept).scalar_one()
    return won
