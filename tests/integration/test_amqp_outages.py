"""RabbitMQ killed, restarted, frozen, or out of memory, while cronq publishes and consumes."""

import atexit
import functools
import itertools
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import capturedLogs, formatEvent

from cronq.broker.interface import Queue
from cronq.domain.errors import BrokerUnavailable
from tests.broker.harness import WORK, Acceptor, Client, Inbox, bodies, job
from tests.integration.amqp import AmqpTestCase
from tests.servers import Proxy, RabbitMQ


@functools.cache
def victim(configuration: str = "") -> RabbitMQ:
    """A RabbitMQ that the tests of this module may do anything to."""
    server = RabbitMQ(configuration)
    server.start()
    atexit.register(server.discard)
    return server


class Traffic:
    """Publishes numbered messages, a few at a time, again and again until each is confirmed."""

    def __init__(self, client: Client) -> None:
        self.confirmed: list[bytes] = []
        self.failures = 0
        self._client = client
        self._numbers = itertools.count()
        self._running = True
        self._publishers = [Deferred.fromCoroutine(self._publish()) for _ in range(20)]

    async def stop(self) -> None:
        self._running = False
        for publisher in self._publishers:
            await publisher

    async def _publish(self) -> None:
        while self._running:
            message = job(next(self._numbers))
            try:
                await self._client.publish(message)
            except BrokerUnavailable:
                self.failures += 1
                await deferLater(reactor, 0.05)
            else:
                self.confirmed.append(message.body)


class AmqpOutageTests(AmqpTestCase):
    timeout = 120

    def setUp(self) -> None:
        self.url = victim().new_vhost()

    def new_client(self, **options: Any) -> Client:
        return self.client_of(self.url, **options)

    async def in_thread(self, verb: Any) -> None:
        """Do something to the server that takes its time."""
        await deferToThread(verb)

    async def test_nothing_confirmed_is_lost_when_the_broker_is_killed(self) -> None:
        """After a power cut of the broker every confirmed message is delivered, without any restart here."""
        publisher, subscriber = await self.client(), await self.client()
        inbox = Acceptor()
        subscriber.subscribe(WORK, inbox, 50)
        traffic = Traffic(publisher)
        # A queue killed within a second of its declaration may never have a leader again (RabbitMQ 3.10).
        await deferLater(reactor, 3)
        self.assertGreater(len(inbox.deliveries), 200)
        await self.in_thread(victim().kill)
        await self.until(lambda: traffic.failures > 20)
        await self.in_thread(victim().start)
        before = len(traffic.confirmed)
        await self.until(lambda: len(traffic.confirmed) > before + 200)
        await traffic.stop()
        await self.until(lambda: set(traffic.confirmed) <= set(inbox.bodies))
        self.assertEqual(self.flushLoggedErrors(), [])

    async def test_broker_restarted_in_an_orderly_way(self) -> None:
        """The broker's own words are in the log, and the unaccepted message comes again."""
        client = await self.client()
        inbox = Inbox()
        client.subscribe(WORK, inbox, 1)
        await self.publish(client, job(1))
        await self.arrival(inbox)
        with capturedLogs() as said:
            await self.in_thread(victim().restart)
            await self.arrival(inbox, 2)
        lines = [formatEvent(event) for event in said]
        self.assertIn("CONNECTION_FORCED - broker forced connection closure", lines[0])
        self.assertIn("connected to the broker", lines[-1])
        self.assertEqual(inbox.bodies, bodies(1, 1))

    async def test_frozen_broker(self) -> None:
        """A broker whose confirms stay away is left, and served again when it wakes up."""
        client = self.new_client(patience=1)
        client.startService()
        await self.result(client.when_connected())
        victim().pause()
        try:
            heard = await self.fails(client.publish(job(1)), BrokerUnavailable)
            self.assertIn("1 messages unconfirmed for 1 s", heard)
            self.assertIn("unconfirmed", await self.fails(client.publish(job(2)), BrokerUnavailable))
        finally:
            victim().resume()
        await self.result(client.when_connected())
        await self.publish(client, job(3))

    async def test_stopping_while_the_broker_is_frozen(self) -> None:
        """A daemon ends although the broker does not say good-bye; whoever publishes hears it."""
        client = await self.client()
        victim().pause()
        try:
            confirm = client.publish(job(1))
            stopped = client.stopService()
            await self.fails(confirm, BrokerUnavailable)
            await stopped
        finally:
            victim().resume()

    async def test_stopping_while_confirms_are_under_way(self) -> None:
        """Each publisher hears either that its message arrived or that the connection is closed."""
        client = await self.client()
        outcomes: list[Deferred[Any]] = [client.publish(job(number)) for number in range(500)]
        failed: list[Any] = []
        for outcome in outcomes:
            outcome.addErrback(failed.append)
        await self.result(client.stopService())
        self.assertTrue(all(outcome.called for outcome in outcomes))
        self.assertTrue(all(failure.check(BrokerUnavailable) for failure in failed))

    async def test_missing_heartbeats(self) -> None:
        """A network that swallows everything is noticed by the heartbeats, also by who publishes nothing."""
        wire = Proxy(victim().port)
        self.addCleanup(wire.close)
        client = self.client_of(wire.url(f"{self.url}?heartbeat=1"))
        client.startService()
        await client.when_connected()
        with capturedLogs() as said:
            wire.hang()
            await self.until(lambda: bool(said))
        self.assertIn("no heartbeat arrives", formatEvent(said[0]))
        wire.restore()
        await client.when_connected()

    async def test_message_in_hand_for_too_long(self) -> None:
        """RabbitMQ takes it back, by default after 30 minutes; other subscriptions do not notice."""
        server = RabbitMQ()
        (server.folder / "advanced.config").write_text(
            "[{rabbit, [{consumer_timeout, 1000}, {channel_tick_interval, 1000}]}]."
        )
        server.start()
        self.addCleanup(server.discard)
        client = self.client_of(server.new_vhost())
        client.startService()
        inbox, other = Inbox(), Acceptor()
        client.subscribe(WORK, inbox, 2)
        client.subscribe(Queue("pool", ("pool",)), other, 1)
        await client.when_connected()
        await self.publish(client, job(1), job(2))
        with capturedLogs() as said:
            await self.arrival(inbox, 4)
            for delivery in inbox.deliveries[2:]:
                delivery.accept()
        self.assertEqual(sorted(inbox.bodies), bodies(1, 1, 2, 2))
        self.assertEqual([delivery.alive for delivery in inbox.deliveries[:2]], [False, False])
        self.assertIn(
            "the broker ended the subscription to cronq_jobs: PRECONDITION_FAILED", formatEvent(said[0])
        )
        await self.publish(client, job(3, "pool"))
        await self.arrival(other)

    async def test_broker_without_memory(self) -> None:
        """A memory alarm is one line, and `blocked_connection_timeout` ends the waiting."""
        server = victim("vm_memory_high_watermark.absolute = 1MB\n")
        client = self.client_of(f"{server.new_vhost()}?blocked_connection_timeout=1")
        with capturedLogs() as said:
            client.startService()
            await client.when_connected()
            heard = await self.fails(client.publish(job(1)), BrokerUnavailable)
        self.assertIn("blocked for longer than blocked_connection_timeout", heard)
        self.assertIn("takes no messages now: low on memory", formatEvent(said[1]))
