"""The key that signs form tokens: given by the operator, or made once and kept in the database."""

import secrets

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from cronq.database.gateway import Database
from cronq.database.tables import settings

_NAME = "secret_key"


class SecretKey:
    """The key, once it is known."""

    def __init__(self, database: Database, given: str | None) -> None:
        self._database = database
        self._key = given

    async def find(self) -> bytes:
        """The key; that of the database is read when it is first needed, or made, if there is none."""
        if self._key is None:
            self._key = await self._database.transact(keep_secret_key)
        return self._key.encode()


def keep_secret_key(connection: Connection) -> str:
    """The key that is kept in the database; of several daemons that make one at once, the first wins."""
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
