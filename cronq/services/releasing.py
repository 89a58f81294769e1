"""Goes on with what waits for other runs: those that may not overlap, and backfills."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from cronq.database.gateway import Database
from cronq.database.waiting import let_go
from cronq.services.loop import Loop
from cronq.services.tables import Tables


class Releasing(Loop):
    """One of the duties of an injector. Whoever ends a run lets others go, unless he is killed meanwhile."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        clock: IReactorTime,
        interval: float,
        released: Callable[[], None],
    ) -> None:
        """`interval` in seconds: how often it looks. `released` is called when there are runs to publish."""
        super().__init__("releasing", self.release, clock)
        self._tables = tables
        self._database = database
        self._interval = interval
        self._released = released

    async def release(self) -> float:
        """One pass."""
        if not await self._tables.ready():
            return self._interval
        if await self._database.transact(let_go):
            self._released()
        return self._interval
