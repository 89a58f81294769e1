"""What the tests of cronq's side of RabbitMQ have in common."""

from collections.abc import Callable
from typing import Any, TypeVar

import pika
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from cronq.broker.addresses import parse_addresses
from cronq.broker.amqp import AmqpBroker
from tests.broker.harness import BrokerTestCase, Client
from tests.servers import Proxy, rabbitmq

T = TypeVar("T")


class AmqpTestCase(BrokerTestCase):
    """Each test has a vhost of its own, and each client a wire of its own that can be cut."""

    timeout = 60

    def setUp(self) -> None:
        self.url = rabbitmq().new_vhost()
        self.addCleanup(rabbitmq().drop_vhost, self.url)
        self.wires: dict[Client, Proxy] = {}

    def new_client(self, **options: Any) -> Client:
        wire = Proxy(rabbitmq().port)
        self.addCleanup(wire.close)
        client = self.client_of(wire.url(self.url), **options)
        self.wires[client] = wire
        return client

    def client_of(self, url: str, **options: Any) -> AmqpBroker:
        """A client for that very URL, without a wire."""
        client = AmqpBroker(reactor, parse_addresses(url), "test", **options)
        self.addCleanup(client.stopService)
        return client

    def cut(self, client: Client) -> None:
        self.wires[client].refuse()

    def restore(self, client: Client) -> None:
        self.wires[client].restore()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await deferLater(reactor, 0.01)

    async def result(self, happening: Deferred[T]) -> T:
        return await happening

    def channel(self) -> Any:
        """A channel of pika's own blocking client, to look at the broker from outside."""
        connection = pika.BlockingConnection(pika.URLParameters(self.url))
        self.addCleanup(lambda: connection.is_open and connection.close())
        return connection.channel()
