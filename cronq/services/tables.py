"""Seeing to it that the tables are there before anyone uses them."""

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from cronq.database import schema
from cronq.database.gateway import Database

log = Logger()


class Tables:
    """The tables of this version: made by whoever may, awaited by the others."""

    def __init__(self, database: Database, *, create: bool, then: Sequence[Callable[..., Any]] = ()) -> None:
        """`then` is done in transactions of their own, once, when the tables are there."""
        self._database = database
        self._create = create
        self._then = list(then)
        self._ready = False
        self._turn = DeferredLock()
        self._told = False

    async def ready(self) -> bool:
        """Whether they can be used; makes them first if that is our duty."""
        if self._ready:
            return True
        await self._turn.acquire()
        try:
            self._ready = self._ready or await self._prepare()
        finally:
            self._turn.release()
        return self._ready

    async def _prepare(self) -> bool:
        if self._create:
            await self._database.transact(schema.upgrade)
        elif not await self._database.read(schema.is_current):
            if not self._told:
                log.info("waiting for an injector to create or upgrade the tables")
            self._told = True
            return False
        while self._then:
            await self._database.transact(self._then[0])
            self._then.pop(0)
        return True
