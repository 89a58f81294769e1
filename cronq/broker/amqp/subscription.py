"""A standing wish for the messages of a queue: it outlives channels and connections."""

from collections.abc import Callable

from pika.exceptions import AMQPError
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.broker.amqp.causes import explain
from cronq.broker.amqp.connection import Connection
from cronq.broker.amqp.consumer import Consumer
from cronq.broker.amqp.topology import Topology, new_address
from cronq.broker.interface import Delivery, Queue
from cronq.domain.errors import BrokerUnavailable

log = Logger()


class AmqpSubscription:
    """See `Subscription`. Whoever has the connection calls `stand` as long as it does not stand."""

    def __init__(
        self,
        queue: Queue,
        on_delivery: Callable[[Delivery], None],
        at_most: int,
        topology: Topology,
        fell: Callable[[], None],
    ) -> None:
        if at_most < 1:
            raise ValueError("at_most must be 1 or more: RabbitMQ takes 0 for as many as there are")
        self._queue = queue
        self._on_delivery = on_delivery
        self._at_most = at_most
        self._topology = topology
        self._fell = fell
        self._connection: Connection | None = None
        self._address = ""
        self._consumer: Consumer | None = None
        self._paused = False
        #: True while the broker knows of it, paused or not.
        self.stands = False
        self.cancelled = False

    @property
    def address(self) -> str | None:
        """See `Subscription`."""
        return self._address if self.stands else None

    def pause(self) -> None:
        """See `Subscription`."""
        self._paused = True
        if self._consumer is not None:
            self._consumer.pause().addErrback(_already_ended)

    def resume(self) -> None:
        """See `Subscription`."""
        self._paused = False
        if self._consumer is not None and not self.cancelled:
            self._consumer.start().addErrback(_already_ended)

    def cancel(self) -> Deferred[None]:
        """See `Subscription`."""
        self.cancelled = True
        return Deferred.fromCoroutine(self._retire()).addErrback(_already_ended)

    async def stand(self, connection: Connection) -> None:
        """Declare the queue and ask for its messages. Raises pika's AMQPError and BrokerUnavailable."""
        if connection is not self._connection:
            self._connection, self._address = connection, new_address(self._queue)
        await self._topology.declare(connection, self._queue, self._address)
        channel = await connection.open_channel()
        consumer = Consumer(channel, self._address, self._on_delivery, self._at_most)
        channel.ended.addCallback(self._ended, consumer)
        await channel.ask(channel.pika.basic_qos, prefetch_count=self._at_most)
        self._consumer = consumer
        if not (self._paused or self.cancelled):
            await consumer.start()
        self.stands = True

    def acknowledge(self) -> None:
        """Before the connection is closed: tell the broker what has been accepted in this turn."""
        if self._consumer is not None:
            self._consumer.acknowledge()

    async def _retire(self) -> None:
        if self._consumer is None or self._connection is None:
            return
        await self._consumer.retire()
        if self._queue.private:
            await self._topology.delete(self._connection, self._address)

    def _ended(self, error: Exception, consumer: Consumer) -> None:
        consumer.end()
        if consumer is not self._consumer:
            return
        stood, self._consumer, self.stands = self.stands, None, False
        connection = consumer.connection
        if stood and connection.is_open and not self.cancelled:
            why = consumer.fault or explain(error, connection.address)
            log.info("the broker ended the subscription to {queue}: {why}", queue=self._address, why=why)
            self._fell()


def _already_ended(failure: Failure) -> None:
    """The channel or the connection ended before the answer; who stands on it has been told."""
    failure.trap(AMQPError, BrokerUnavailable)
