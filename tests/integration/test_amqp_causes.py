"""Why there is no connection to RabbitMQ: one line says where and why, and never the password."""

from typing import Any

from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.logger import capturedLogs, formatEvent

from cronq.domain.errors import BrokerUnavailable
from tests.broker.harness import job
from tests.integration.amqp import AmqpTestCase
from tests.servers import free_port, rabbitmq


class Stranger(Protocol):
    """A server of something else, that answers with some words or not at all."""

    def __init__(self, words: bytes) -> None:
        self.words = words

    def dataReceived(self, data: bytes) -> None:
        if self.words:
            assert self.transport is not None
            self.transport.write(self.words)
            self.transport.loseConnection()


class AmqpCausesTests(AmqpTestCase):
    async def cause(self, url: str) -> str:
        """What a daemon says when it cannot connect, which is also what its publishers hear."""
        client = self.client_of(url)
        with capturedLogs() as said:
            client.startService()
            await self.until(lambda: bool(said))
            # Long enough for several attempts more.
            await deferLater(reactor, 0.5)
            heard = await self.fails(client.publish(job(1)), BrokerUnavailable)
        self.assertEqual([formatEvent(event) for event in said], [heard])
        self.assertEqual(self.flushLoggedErrors(), [])
        await client.stopService()
        return heard

    async def stranger(self, words: bytes) -> str:
        listening = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(
            Factory.forProtocol(lambda: Stranger(words))
        )
        self.addCleanup(listening.stopListening)
        return f"127.0.0.1:{listening.getHost().port}"

    async def test_nobody_listens(self) -> None:
        """The address is wrong, or the broker is not started."""
        place = f"127.0.0.1:{free_port()}"
        self.assertEqual(
            await self.cause(f"amqp://{place}/"),
            f"no connection to the broker at {place}: connection refused",
        )

    async def test_nobody_listens_on_ipv6(self) -> None:
        """An IPv6 address is written, and shown, in brackets."""
        place = f"[::1]:{free_port()}"
        self.assertEqual(
            await self.cause(f"amqp://{place}/"),
            f"no connection to the broker at {place}: connection refused",
        )

    async def test_unknown_host(self) -> None:
        """The name of the host is misspelt."""
        text = await self.cause("amqp://nowhere.invalid/")
        self.assertTrue(
            text.startswith("no connection to the broker at nowhere.invalid:5672: DNS lookup failed")
        )

    async def test_wrong_password(self) -> None:
        """It is the login that fails, and not the network, though RabbitMQ closes the connection."""
        url = rabbitmq().add_user("someone", "right", self.url).replace("right", "wr0ng")
        text = await self.cause(url)
        self.assertIn("ACCESS_REFUSED for user someone", text)
        self.assertNotIn("wr0ng", text)

    async def test_unknown_vhost(self) -> None:
        """The vhost is misspelt or not yet there."""
        text = await self.cause(f"{rabbitmq().url}nowhere")
        self.assertTrue(text.endswith("NOT_ALLOWED - vhost nowhere not found"), text)

    async def test_vhost_of_others(self) -> None:
        """The user may not enter the vhost."""
        rabbitmq().add_user("outsider", "secret", rabbitmq().new_vhost())
        text = await self.cause(self.url.replace("guest:guest", "outsider:secret"))
        self.assertIn("access to vhost", text)
        self.assertIn("refused for user 'outsider'", text)

    async def test_user_who_may_do_nothing(self) -> None:
        """The user may enter the vhost, but not make or use a queue."""
        text = await self.cause(rabbitmq().add_user("guestling", "secret", self.url, allowed="^$"))
        self.assertIn("ACCESS_REFUSED - access to exchange 'cronq'", text)

    async def test_server_of_something_else(self) -> None:
        """Whatever listens there, it is no AMQP, and leaves no traceback."""
        for words in (b"HTTP/1.1 400 Bad Request\r\n\r\n", bytes(100), b"AMQP\0\1\0\0"):
            text = await self.cause(f"amqp://{await self.stranger(words)}/")
            self.assertTrue(text.endswith("it does not speak AMQP 0-9-1, or wants TLS"), text)

    async def test_server_that_says_nothing(self) -> None:
        """A server that accepts and is silent is left after `stack_timeout`."""
        place = await self.stranger(b"")
        text = await self.cause(f"amqp://{place}/?stack_timeout=0.2")
        self.assertEqual(text, f"no connection to the broker at {place}: no answer within 0.2 s")

    async def test_option_that_the_system_refuses(self) -> None:
        """A wrong value of `tcp_options` is the cause, and not a traceback."""
        text = await self.cause(f"{self.url}?tcp_options={{'TCP_KEEPIDLE':-5}}")
        self.assertTrue(text.endswith("tcp_options: Invalid argument"), text)

    async def test_tls_to_a_broker_without_it(self) -> None:
        """`amqps` where only `amqp` is spoken."""
        text = await self.cause(self.url.replace("amqp://", "amqps://"))
        self.assertIn("TLS failure: ", text)

    async def test_next_of_several_hosts(self) -> None:
        """Hosts that are away or refuse are said, one line each, and the first that works is used."""
        closed, wrong = f"127.0.0.1:{free_port()}", self.url.replace("guest:guest", "guest:wrong")
        client = self.client_of(f"amqp://{closed}/,{wrong},{self.url}")
        with capturedLogs() as said:
            client.startService()
            await self.result(client.when_connected())
        lines: list[Any] = [formatEvent(event) for event in said]
        self.assertEqual(len(lines), 3)
        self.assertIn(f"{closed}: connection refused", lines[0])
        self.assertIn("ACCESS_REFUSED for user guest", lines[1])
        self.assertIn(f"connected to the broker at 127.0.0.1:{rabbitmq().port}", lines[2])
        await self.publish(client, job(1))
