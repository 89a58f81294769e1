"""Results hears the runners, and gives up the runs of those that are gone."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.interface import HEARTBEATS, RESULTS, Broker, Delivery, Queue, Subscription
from cronq.database.gateway import Database
from cronq.database.losses import lose_runs
from cronq.database.runners import look_for_losses, mark_silent, record_heartbeats
from cronq.domain.errors import BadMessage
from cronq.domain.hearing import Hearing
from cronq.domain.heartbeats import INTERVAL, ResultsHeartbeat, RunnerHeartbeat, decode_heartbeat
from cronq.services.loop import Loop
from cronq.services.presence import publish_heartbeat
from cronq.services.tables import Tables

log = Logger()

AT_MOST = 1000


class Watch(Loop):
    """Keeps the table of runners, and loses what their silence, or their own word, says is lost."""

    def __init__(
        self,
        database: Database,
        tables: Tables,
        broker: Broker,
        clock: IReactorTime,
        daemon: str,
        lost_after: float,
        lag: Callable[[], float],
        interval: float = INTERVAL,
    ) -> None:
        """`daemon` names this one among all results daemons. `lag` gives the seconds for which the oldest
        report in hand has been waiting. `lost_after`, and the `interval` of heartbeats, are in seconds.
        """
        super().__init__("watch", self.watch, clock, tables.trouble)
        self._database = database
        self._tables = tables
        self._broker = broker
        self._daemon = daemon
        self._lost_after = lost_after
        self._lag = lag
        self._interval = interval
        self._hearing = Hearing(daemon, lost_after, interval)
        self._address: str | None = None
        self._said: dict[str, tuple[float, RunnerHeartbeat]] = {}
        self._subscription: Subscription | None = None
        self._clear_at = clock.seconds()
        self._told = False

    def startService(self) -> None:
        """Begin to hear."""
        queue = Queue("cronq_watch", (HEARTBEATS,), private=True)
        self._subscription = self._broker.subscribe(queue, self._heard, AT_MOST)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Fires when the pass in hand is done, and the others know that this one takes no more reports."""
        return Deferred.fromCoroutine(self._stop())

    async def watch(self) -> float:
        """One pass."""
        if not await self._tables.ready():
            return self._interval
        await self.until(self._broker.when_connected())
        self._look_at_connection()
        await self.until(self._say())
        depth = await self.until(self._broker.depth(RESULTS))
        clear = self._hearing.look(depth.waiting, depth.consumers, self._clock.seconds())
        self._tell(clear=clear)
        await self._record()
        if clear:
            await self._judge()
        return self._interval

    def _heard(self, delivery: Delivery) -> None:
        delivery.accept()
        now = self._clock.seconds()
        try:
            said = decode_heartbeat(delivery.body)
        except BadMessage as error:
            log.warn("a heartbeat cannot be read: {why}", why=str(error))
            return
        if isinstance(said, ResultsHeartbeat):
            self._hearing.hear_results(said, now)
            return
        self._said[said.runner] = now, said
        if self._hearing.hear_runner(said, now):
            self.wake()

    def _look_at_connection(self) -> None:
        """What was said between two connections was not heard."""
        address = self._subscription.address if self._subscription else None
        if address is None or address != self._address:
            self._hearing.deafen()
        self._address = address

    def _say(self, *, stopped: bool = False) -> Deferred[bool]:
        said = ResultsHeartbeat(self._daemon, self._lag(), stopped)
        return Deferred.fromCoroutine(publish_heartbeat(self._broker, said))

    def _tell(self, *, clear: bool) -> None:
        """Say so when it is long that nobody could be called silent."""
        now = self._clock.seconds()
        if clear:
            if self._told:
                log.info("the silence of runners counts again")
            self._clear_at, self._told = now, False
        elif now - self._clear_at >= self._lost_after and not self._told:
            self._told = True
            log.warn(
                "the silence of runners does not count now, so none of their runs is given up: reports wait"
                " in the queue, or somebody takes them of whom nothing is heard"
            )

    async def _record(self) -> None:
        """Write down who has been heard since the last time."""
        if not self._said:
            return
        now, said = self._clock.seconds(), self._said
        self._said = {}
        heard = [(heartbeat, now - at) for at, heartbeat in said.values()]
        try:
            back = await self._database.transact(record_heartbeats, heard)
        except BaseException:
            self._said = said | self._said
            raise
        for runner in back:
            log.info("runner {runner} is heard of again", runner=runner)

    async def _judge(self) -> None:
        running, silent = await self._database.read(look_for_losses, self._lost_after)
        losses = self._hearing.judge(running, self._clock.seconds())
        if silent and self._hearing.silence_counts:
            for runner in await self._database.transact(mark_silent, self._lost_after):
                log.warn(
                    "runner {runner} has not been heard of for {seconds:g} s",
                    runner=runner,
                    seconds=self._lost_after,
                )
        for loss in await self._database.transact(lose_runs, losses) if losses else ():
            log.warn("run {run_id} is lost: {why}", run_id=loss.run_id, why=loss.reason)

    async def _stop(self) -> None:
        await super().stopService()
        if self._subscription is not None:
            await self._subscription.cancel()
        await self._say(stopped=True).addErrback(lambda _: False)
