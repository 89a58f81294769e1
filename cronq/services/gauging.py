"""Keeps up how long jobs usually take."""

from twisted.internet.interfaces import IReactorTime

from cronq.database.gateway import Database
from cronq.database.usual import compute_usual, keep_usual
from cronq.services.loop import Loop
from cronq.services.tables import Tables

MINUTE = 60.0
#: Seconds until it goes on with what has piled up: there is no hurry, and others need the database, too.
BREATH = 0.2
WITHOUT_TABLES = 1.0  # seconds until it looks again


class Gauging(Loop):
    """One of the duties of a results daemon. Of several, the first to come does the work of a minute."""

    def __init__(self, database: Database, tables: Tables, clock: IReactorTime) -> None:
        super().__init__("gauging", self.gauge, clock, tables.trouble)
        self._database = database
        self._tables = tables

    async def gauge(self) -> float:
        """One pass."""
        if not await self._tables.ready():
            return WITHOUT_TABLES
        done = await self._database.read(compute_usual)
        if done is None or done.idle:
            return MINUTE
        was_first = await self._database.transact(keep_usual, done)
        return BREATH if was_first and done.more else MINUTE
