"""RabbitMQ as a service that connects, comes back for ever, and keeps all subscriptions standing."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from pika.exceptions import AMQPError
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.broker.addresses import Address
from cronq.broker.amqp.attempts import Attempts
from cronq.broker.amqp.causes import explain
from cronq.broker.amqp.connection import Connection, connect
from cronq.broker.amqp.publisher import Publisher, open_publisher
from cronq.broker.amqp.subscription import AmqpSubscription
from cronq.broker.amqp.topology import Topology
from cronq.broker.interface import SHARED_QUEUES, Delivery, Message, Queue, QueueDepth
from cronq.broker.waiting import Waiters
from cronq.domain.errors import BrokerUnavailable

log = Logger()

#: Seconds before a subscription that the broker ended is taken up again.
_BREATH = 1.0


class AmqpBroker(Service):
    """See `Broker`. From start to stop it connects, for ever, to one address after the other.

    Twisted's `ClientService` does not fit: a connection that is lost while it is being prepared, such as each
    refused login, is an event that its state machine does not know, and ends in a traceback.
    """

    def __init__(
        self,
        reactor: Any,
        addresses: Sequence[Address],
        client_name: str,
        queues: Sequence[Queue] = SHARED_QUEUES,
        patience: float = 30.0,
    ) -> None:
        """`client_name`, such as `cronq-runner@host.pid`, is shown by the broker's own tools. `queues` are
        declared at each connection. A broker that owes an answer for `patience` seconds is left.
        """
        self._reactor = reactor
        self._addresses = addresses
        self._client_name = client_name
        self._queues = queues
        self._patience = patience
        self._topology = Topology()
        self._attempts = Attempts(reactor, len(addresses))
        self._subscriptions: list[AmqpSubscription] = []
        self._loop: Deferred[None] | None = None
        self._connection: Connection | None = None
        self._publisher: Publisher | None = None
        self._standing_up = False
        self._breath: IDelayedCall | None = None
        self._connected: Waiters[None] = Waiters()
        self._why_not = "no connection to the broker yet"

    def startService(self) -> None:
        """Begin to connect."""
        super().startService()  # type: ignore[no-untyped-call]
        self._loop = Deferred.fromCoroutine(self._stay_connected()).addErrback(_stopped)

    def stopService(self) -> Deferred[None]:
        """Part in good order, which gives back what is unaccepted; fires when the connection is closed."""
        super().stopService()  # type: ignore[no-untyped-call]
        loop, self._loop = self._loop or succeed(None), None
        loop.cancel()
        self._why_not = "this side has closed its connection to the broker"
        self._connected.tell(Failure(BrokerUnavailable(self._why_not)))
        return loop

    def publish(self, message: Message) -> Deferred[None]:
        """See `Broker`."""
        if self._publisher is None:
            return fail(BrokerUnavailable(self._why_not))
        return self._publisher.publish(message)

    def subscribe(
        self, queue: Queue, on_delivery: Callable[[Delivery], None], at_most: int
    ) -> AmqpSubscription:
        """See `Broker`."""
        subscription = AmqpSubscription(queue, on_delivery, at_most, self._topology, self._stand_up_soon)
        self._subscriptions = [each for each in self._subscriptions if not each.cancelled]
        self._subscriptions.append(subscription)
        self._stand_up()
        return subscription

    def depth(self, queue: str) -> Deferred[QueueDepth]:
        """See `Broker`."""
        if self._connection is None:
            return fail(BrokerUnavailable(self._why_not))
        return Deferred.fromCoroutine(self._depth(self._connection, queue))

    def when_connected(self) -> Deferred[None]:
        """See `Broker`."""
        stands = self._publisher is not None and self._publisher.is_open and not self._fallen()
        return succeed(None) if stands else self._connected.wait()

    async def _stay_connected(self) -> None:
        for address in itertools.cycle(self._addresses):
            try:
                await self._live(address)
            except BrokerUnavailable as error:
                if not self.running:
                    # An attempt that was called off ends in an error as well.
                    return
                self._why_not = str(error)
                await deferLater(self._reactor, self._attempts.failed(address, error))

    async def _live(self, address: Address) -> None:
        """Connect, and stay until the connection ends; raises BrokerUnavailable then, with the cause."""
        connection = await connect(self._reactor, address, self._client_name, self._patience)
        self._connection = connection
        try:
            self._stand_up()
            await connection.when_lost()
        finally:
            self._connection = None
            self._publisher = None
            self._hold_breath()
            for subscription in self._subscriptions:
                subscription.acknowledge()
            await connection.close()
        raise connection.unavailable(connection.cause)

    async def _depth(self, connection: Connection, queue: str) -> QueueDepth:
        try:
            return await self._topology.depth(connection, queue)
        except AMQPError as error:
            raise BrokerUnavailable(explain(error, connection.address)) from error

    def _fallen(self) -> list[AmqpSubscription]:
        return [each for each in self._subscriptions if not (each.stands or each.cancelled)]

    def _stand_up(self) -> None:
        """Bring up all that does not stand on the present connection."""
        self._hold_breath()
        if self._connection is not None and not self._standing_up:
            self._standing_up = True
            Deferred.fromCoroutine(self._bring_up(self._connection)).addErrback(_unforeseen, self._connection)

    def _stand_up_soon(self) -> None:
        # Not at once: something that ends it again and again is not to be helped by haste.
        if self._breath is None:
            self._breath = self._reactor.callLater(_BREATH, self._stand_up)

    async def _bring_up(self, connection: Connection) -> None:
        try:
            publisher = self._publisher or await self._prepare(connection)
            while fallen := self._fallen():
                await fallen[0].stand(connection)
        except (AMQPError, BrokerUnavailable) as error:
            if connection.is_open:
                connection.abort(explain(error, connection.address))
            return
        finally:
            self._standing_up = False
        if self._connection is not connection:
            return
        if self._publisher is None:
            self._publisher = publisher
            self._attempts.connected(connection.address)
        self._connected.tell(None)

    async def _prepare(self, connection: Connection) -> Publisher:
        await self._topology.declare_exchange(connection)
        for queue in self._queues:
            await self._topology.declare(connection, queue, queue.name)
        return await open_publisher(connection)

    def _hold_breath(self) -> None:
        breath, self._breath = self._breath, None
        if breath is not None and breath.active():
            breath.cancel()


def _stopped(failure: Failure) -> None:
    if not failure.check(CancelledError):
        log.failure("no more connections to the broker are tried", failure)


def _unforeseen(failure: Failure, connection: Connection) -> None:
    log.failure("the connection to the broker could not be prepared", failure)
    connection.abort("a fault on this side")
