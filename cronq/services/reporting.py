"""Delivering what became of the runs, however long the broker is away."""

from collections import deque
from collections.abc import Iterable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.broker.interface import RESULTS, Broker, Message
from cronq.domain.errors import BrokerUnavailable, Unroutable
from cronq.domain.messages import ResultMessage
from cronq.services.notebook import Notebook

log = Logger()

#: Reports under way at once, after an outage of the broker.
AT_ONCE = 256
#: Seconds until the next try when the broker did not confirm, and when there is no queue for reports.
BREATH, WITHOUT_QUEUE = 0.1, 5.0


async def publish_report(
    broker: Broker, clock: IReactorTime, report: ResultMessage, reply_to: str | None = None
) -> bool:
    """Whether the broker has the report now. If not, a pause has passed, and it may be tried again.

    Without the pause, a connection that is just ending would be tried for ever in one turn of the reactor.
    """
    try:
        await broker.publish(Message(RESULTS, report.encode(), report.message_id, reply_to=reply_to))
    except BrokerUnavailable:
        await deferLater(clock, BREATH)
        return False
    except Unroutable:
        log.error("there is no queue for reports; that of run {run_id} waits", run_id=report.run_id)
        await deferLater(clock, WITHOUT_QUEUE)
        return False
    return True


class Reports:
    """Keeps every report in the notebook until the broker has confirmed it."""

    def __init__(self, broker: Broker, notebook: Notebook, clock: IReactorTime) -> None:
        self.notebook = notebook
        self._broker = broker
        self._clock = clock
        self._waiting: deque[ResultMessage] = deque()
        self._workers: set[Deferred[None]] = set()
        self._closed = False

    def open(self) -> None:
        """Begin to deliver what is left from an earlier life."""
        self.deliver(list(self.notebook.undelivered.values()))

    def report(self, message: ResultMessage) -> None:
        """Note it, and deliver it sooner or later."""
        self.notebook.note_report(message)
        self._deliver(message)

    def deliver(self, noted: Iterable[ResultMessage]) -> None:
        """Deliver, sooner or later, what stands in the notebook already."""
        for message in noted:
            self._deliver(message)

    async def close(self, patience: float) -> None:
        """Wait for deliveries, at most `patience` seconds; what is left is kept for the next life."""
        deadline = self._clock.callLater(patience, self._give_up)
        for worker in list(self._workers):
            await worker
        if deadline.active():
            deadline.cancel()
        self._closed = True
        if self.notebook.undelivered:
            log.warn(
                "{count} reports could not be delivered yet; they are kept on disk and delivered after the"
                " next start",
                count=len(self.notebook.undelivered),
            )
        await self.notebook.close()

    def _give_up(self) -> None:
        self._closed = True
        for worker in list(self._workers):
            worker.cancel()

    def _deliver(self, message: ResultMessage) -> None:
        self._waiting.append(message)
        if len(self._workers) < AT_ONCE:
            worker = Deferred.fromCoroutine(self._work())
            self._workers.add(worker)
            worker.addErrback(self._failed)
            worker.addBoth(lambda _: self._workers.discard(worker))

    async def _work(self) -> None:
        while self._waiting and not self._closed:
            message = self._waiting.popleft()
            while not self._closed:
                # Nearly always there is a connection, and to ask for one takes as long as to publish.
                if await publish_report(self._broker, self._clock, message):
                    self.notebook.note_delivered(message)
                    break
                await self._broker.when_connected()

    def _failed(self, failure: Failure) -> None:
        if not self._closed:
            log.error("a report could not be delivered: {why}", why=failure.value)
