"""Counts what the runs of each job came to, day by day."""

from twisted.internet.interfaces import IReactorTime

from cronq.database.counting import count_days
from cronq.database.gateway import Database
from cronq.services.loop import Loop
from cronq.services.tables import Tables

TEN_MINUTES = 600.0
#: Seconds until it goes on with what has piled up: there is no hurry, and others need the database, too.
BREATH = 0.2
WITHOUT_TABLES = 1.0  # seconds until it looks again


class Counting(Loop):
    """One of the duties of a results daemon; of several, each counts what the others have not."""

    def __init__(self, database: Database, tables: Tables, clock: IReactorTime) -> None:
        super().__init__("counting", self.count, clock, tables.trouble)
        self._database = database
        self._tables = tables

    async def count(self) -> float:
        """One pass."""
        if not await self._tables.ready():
            return WITHOUT_TABLES
        return BREATH if await self._database.transact(count_days) else TEN_MINUTES
