"""A daemon leaves signs of life, so that people see which are up."""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.interface import Broker
from cronq.database.attendance import Attendee, attend, leave, nobody_is
from cronq.database.gateway import Database
from cronq.domain.errors import CronqError
from cronq.domain.standing import INTERVAL
from cronq.services.loop import Loop
from cronq.services.tables import Tables

log = Logger()


class Attendance(Loop):
    """One of the duties of injectors and results daemons: one UPDATE every ten seconds."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        broker: Broker,
        clock: IReactorTime,
        who: Attendee,
        is_dead: Callable[[str], bool] = nobody_is,
    ) -> None:
        """`is_dead` says whether a process of this host has ended, by its name."""
        super().__init__("attendance", self.attend, clock, tables.trouble)
        self._database = database
        self._tables = tables
        self._broker = broker
        self._who = who
        self._is_dead = is_dead
        self._first = True
        #: Whether the last sign is known to be there.
        self._present = False

    async def attend(self) -> float:
        """One sign."""
        if not await self._tables.ready():
            return INTERVAL
        self._present = False
        connected = self._is_connected()
        await self._database.transact(attend, self._who, connected, self._first, self._is_dead)
        self._present, self._first = True, False
        return INTERVAL

    def stopService(self) -> Deferred[None]:
        """Fires when the sign is taken away, if the database has answered until now."""
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        await super().stopService()
        if not self._present:
            return
        try:
            await self._database.transact(leave, self._who)
        except CronqError as error:
            log.info("attendance: the last sign stays: {why}", why=str(error))

    def _is_connected(self) -> bool:
        connected = self._broker.when_connected()
        if connected.called:
            return True
        connected.addErrback(lambda failure: failure.trap(CancelledError))
        connected.cancel()
        return False
