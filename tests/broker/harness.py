"""What the tests of brokers have in common: clients, subscribers, and ways to let time pass."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from cronq.broker.interface import DEFAULT_ROUTING_KEY, JOBS, Broker, Delivery, Message, Queue

T = TypeVar("T")

WORK = Queue(JOBS, (DEFAULT_ROUTING_KEY,))


class Client(Broker, Protocol):
    """A broker's client as the service that it is."""

    def startService(self) -> None: ...

    def stopService(self) -> Deferred[None]: ...


class Inbox:
    """A subscriber that keeps what it gets in hand."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []

    def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)

    @property
    def bodies(self) -> list[bytes]:
        return [delivery.body for delivery in self.deliveries]


class Acceptor(Inbox):
    """A subscriber that accepts whatever it gets."""

    def __call__(self, delivery: Delivery) -> None:
        super().__call__(delivery)
        delivery.accept()


def job(number: int, key: str = DEFAULT_ROUTING_KEY) -> Message:
    return Message(key, b"%d" % number, f"{key}-{number}")


def bodies(*numbers: int) -> list[bytes]:
    return [b"%d" % number for number in numbers]


class BrokerTestCase(TestCase):
    """To be completed by each implementation: how to connect, and how time passes."""

    def new_client(self) -> Client:
        """A client that is not started yet; it is stopped after the test."""
        raise NotImplementedError

    def cut(self, client: Client) -> None:
        """Take its connection from a client and let it have none; it may take a moment to see it."""
        raise NotImplementedError

    def restore(self, client: Client) -> None:
        """Let a client connect again."""
        raise NotImplementedError

    async def result(self, happening: Deferred[T]) -> T:
        """Let time pass until it fires."""
        raise NotImplementedError

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let time pass until the condition holds."""
        raise NotImplementedError

    async def client(self) -> Client:
        client = self.new_client()
        client.startService()
        await self.result(client.when_connected())
        return client

    async def lose(self, client: Client) -> None:
        """Cut a client off and wait until it has seen it."""
        probe = client.subscribe(Queue("probe", private=True), Inbox(), 1)
        await self.result(client.when_connected())
        self.cut(client)
        await self.until(lambda: probe.address is None)
        probe.cancel()

    async def come_back(self, client: Client) -> None:
        self.restore(client)
        await self.result(client.when_connected())

    async def publish(self, client: Client, *messages: Message) -> None:
        for confirm in [client.publish(message) for message in messages]:
            await self.result(confirm)

    async def arrival(self, inbox: Inbox, count: int = 1) -> None:
        """Let time pass until so many messages, in all, have been delivered."""
        await self.until(lambda: len(inbox.deliveries) >= count)

    async def fails(self, happening: Deferred[Any], kind: type[Exception]) -> str:
        """Expect a failure; answers its text."""
        expected: Deferred[Any] = self.assertFailure(happening, kind)
        return str(await self.result(expected))

    async def settle(self, client: Client) -> None:
        """Let arrive what is under way: messages go to the broker and come back, one after the other."""
        inbox = Acceptor()
        echo = client.subscribe(Queue("echo", private=True), inbox, 1)
        await self.result(client.when_connected())
        for turn in range(3):
            await self.publish(client, Message(str(echo.address), b"", f"echo-{turn}", direct=True))
            await self.arrival(inbox, turn + 1)
        await self.result(echo.cancel())
