"""The key that signs form tokens: given by the operator, or made once and kept in the database."""

from cronq.database.gateway import Database
from cronq.database.secret_key import keep_secret_key


class SecretKey:
    """The key, once it is known."""

    def __init__(self, database: Database, given: str | None) -> None:
        self._database = database
        self._key = given

    async def find(self) -> bytes:
        """The key; that of the database is read when one is first needed."""
        if self._key is None:
            self._key = await self._database.transact(keep_secret_key)
        return self._key.encode()
