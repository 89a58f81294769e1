"""The key that signs what only this installation may have made."""

import secrets

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from cronq.database.tables import settings

_NAME = "secret_key"


def keep_secret_key(connection: Connection) -> str:
    """The key that is kept in the database; makes one at first. Of several that make one, the first wins."""
    kept = select(settings.c.value).where(settings.c.name == _NAME)
    found: str | None = connection.execute(kept).scalar()
    if found is not None:
        return found
    try:
        with connection.begin_nested():
            connection.execute(insert(settings).values(name=_NAME, value=secrets.token_hex(32)))
    except IntegrityError:
        pass  # another has made one in this moment
    won: str = connection.execute(kept).scalar_one()
    return won
