"""Keeps up how many runs there were in each hour."""

from twisted.internet.interfaces import IReactorTime

from cronq.database.gateway import Database
from cronq.database.tallies import count_hour, keep_count, next_to_count
from cronq.services.loop import Loop
from cronq.services.tables import Tables

MINUTE = 60.0
#: Seconds until the next hour that is to be counted: others need the database, too.
BREATH = 0.2
WITHOUT_TABLES = 1.0  # seconds until it looks again


class Tallying(Loop):
    """One of the duties of a results daemon. Of several, the first to come does the work of a minute."""

    def __init__(self, database: Database, tables: Tables, clock: IReactorTime) -> None:
        super().__init__("tallying", self.tally, clock, tables.trouble)
        self._database = database
        self._tables = tables

    async def tally(self) -> float:
        """One pass: one hour."""
        if not await self._tables.ready():
            return WITHOUT_TABLES
        hour = await self._database.read(next_to_count)
        if hour is None:
            return MINUTE
        await self._database.transact(keep_count, await self._database.read(count_hour, hour))
        return BREATH
