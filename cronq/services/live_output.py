"""Results has runners send what a run writes while somebody looks on, and keeps it for those who look."""

from collections import deque

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.interface import Broker, Delivery, Message, Queue, Subscription
from cronq.database.gateway import Database
from cronq.database.live_output import SentViewing, claim_viewings, forget_viewings, look, record_excerpts
from cronq.domain.errors import BadMessage, BrokerUnavailable, Unroutable
from cronq.domain.live_output import Excerpt
from cronq.domain.runs import new_token
from cronq.services.loop import Loop
from cronq.services.tables import Tables

log = Logger()

#: Seconds from one look at what there is to do to the next, and from one writing of excerpts to the next.
INTERVAL, WRITE_INTERVAL = 1.0, 0.25
#: Excerpts in hand and not yet written; of more, the oldest are dropped, and readers see the gap.
AT_MOST = 256


class LiveOutput(Loop):
    """One of the duties of a results daemon. Each has a private queue, in which it hears whom it has told.

    Nothing here is worth keeping: what is lost on the way is a gap for who looks on, and is in the log file.
    """

    def __init__(
        self,
        database: Database,
        tables: Tables,
        broker: Broker,
        clock: IReactorTime,
        interval: float = INTERVAL,
    ) -> None:
        """`interval` in seconds: how often it looks who looks on."""
        super().__init__("live output", self.work, clock, tables.trouble)
        self._database = database
        self._tables = tables
        self._broker = broker
        self._interval = interval
        self._received: deque[Excerpt] = deque(maxlen=AT_MOST)
        self._subscription: Subscription | None = None

    def startService(self) -> None:
        """Begin to hear."""
        queue = Queue("cronq_live_output", private=True)
        self._subscription = self._broker.subscribe(queue, self._heard, AT_MOST)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Fires when the pass in hand is done."""
        return Deferred.fromCoroutine(self._stop())

    async def work(self) -> float:
        """One pass: write what has come, and see who looks at what."""
        if not await self._tables.ready():
            return self._interval
        if self._received:
            received = list(self._received)
            self._received.clear()
            await self._database.transact(record_excerpts, received)
        found = await self._database.read(look)
        if found.due:
            await self.until(self._broker.when_connected())
            for sent in await self._database.transact(claim_viewings):
                await self._tell(sent)
        if found.stale:
            await self._database.transact(forget_viewings)
        return self._interval

    async def _tell(self, sent: SentViewing) -> None:
        address = self._subscription.address if self._subscription else None
        if address is None or sent.runner_address is None:
            return
        message = Message(sent.runner_address, sent.order(address).encode(), new_token(), direct=True)
        try:
            await self._broker.publish(message)
        except (BrokerUnavailable, Unroutable) as error:
            log.info(
                "the runner of run {run_id} could not be told yet that somebody looks: {why}",
                run_id=sent.run_id,
                why=str(error),
            )

    def _heard(self, delivery: Delivery) -> None:
        delivery.accept()
        try:
            excerpt = Excerpt.decode(delivery.body)
        except BadMessage as error:
            log.warn("an excerpt of output cannot be read: {why}", why=str(error))
            return
        if not self._received:
            self._clock.callLater(WRITE_INTERVAL, self.wake)
        self._received.append(excerpt)

    async def _stop(self) -> None:
        await super().stopService()
        if self._subscription is not None:
            await self._subscription.cancel()
