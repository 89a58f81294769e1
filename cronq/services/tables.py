"""Seeing to it that the tables are there before anyone uses them."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from cronq.database import schema
from cronq.database.gateway import Database
from cronq.services.trouble import Trouble

log = Logger()


class Tables:
    """The tables of this version: made by whoever may, awaited by the others."""

    def __init__(self, database: Database, *, create: bool, then: Sequence[Callable[..., Any]] = ()) -> None:
        """`then` is done in transactions of their own, once, when the tables are there."""
        self._database = database
        self._create = create
        self._then = list(then)
        # Several services ask at once; what is to be done once is done by one of them.
        self._turn = DeferredLock()
        self._ready = False
        self._told = False
        #: What keeps those who need the tables from getting on.
        self.trouble = Trouble()

    async def ready(self) -> bool:
        """Whether they can be used; makes them first if that is our duty."""
        if not self._ready:
            await self._turn.run(lambda: Deferred.fromCoroutine(self._prepare()))
        return self._ready

    async def _prepare(self) -> None:
        if self._ready or not await self._are_there():
            return
        while self._then:
            await self._database.transact(self._then[0])
            self._then.pop(0)
        self._ready = True

    async def _are_there(self) -> bool:
        if self._create:
            await self._database.transact(schema.upgrade)
            return True
        if await self._database.read(schema.is_current):
            return True
        if not self._told:
            log.info("waiting for an injector to create or upgrade the tables")
        self._told = True
        return False
