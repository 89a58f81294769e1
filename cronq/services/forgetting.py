"""Forgets the runners that are gone for good."""

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.database.bulk import CHUNK
from cronq.database.gateway import Database
from cronq.database.runners import forget_runners
from cronq.services.loop import Loop
from cronq.services.tables import Tables

log = Logger()

HOUR = 3600.0
WITHOUT_TABLES = 1.0  # seconds until it looks again


class Forgetting(Loop):
    """One of the duties of a results daemon: each start of a runner makes a row, so old ones have to go."""

    def __init__(self, database: Database, tables: Tables, clock: IReactorTime) -> None:
        super().__init__("forgetting", self.forget, clock, tables.trouble)
        self._database = database
        self._tables = tables

    async def forget(self) -> float:
        """One pass."""
        if not await self._tables.ready():
            return WITHOUT_TABLES
        names = await self._database.transact(forget_runners)
        if names:
            log.info(
                "runners that have given no sign for long are forgotten: {names}", names=", ".join(names)
            )
        return 0.0 if len(names) == CHUNK else HOUR
