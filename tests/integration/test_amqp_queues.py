"""What cronq declares in RabbitMQ, how it uses queues that are there, and what its messages carry."""

import json
from typing import Any

from twisted.logger import capturedLogs, formatEvent

from cronq.broker.interface import DEAD, JOBS, RESULTS, Message, Queue
from cronq.domain.errors import BrokerUnavailable, Unroutable
from tests.broker.harness import WORK, Acceptor, Inbox, bodies, job
from tests.integration.amqp import AmqpTestCase
from tests.servers import rabbitmq

QUORUM = {"x-queue-type": "quorum"}


class AmqpQueuesTests(AmqpTestCase):
    async def test_queues_of_a_new_installation(self) -> None:
        """Durable quorum queues with no other argument, so that all else can be set by policies."""
        await self.client()
        self.assertEqual(rabbitmq().queue_names(self.url), [DEAD, JOBS, RESULTS])
        channel = self.channel()
        # Declaring what exists with other properties would be an error.
        channel.exchange_declare("cronq", "direct", durable=True)
        for queue in (JOBS, RESULTS, DEAD):
            channel.queue_declare(queue, durable=True, arguments=QUORUM)

    async def test_daemon_with_queues_of_its_own(self) -> None:
        """Whoever builds the client says which queues are declared at each connection."""
        client = self.client_of(self.url, queues=(Queue("mine", ("a", "b")),))
        client.startService()
        await client.when_connected()
        self.assertEqual(rabbitmq().queue_names(self.url), ["mine"])
        await self.publish(client, job(1, "a"), job(2, "b"))
        self.assertEqual(rabbitmq().queue_lengths(self.url), {"mine": 2})

    async def test_fault_in_the_program(self) -> None:
        """What nobody foresaw is in the log with its traceback, and does not leave a half-made connection."""
        nonsense: Any = 5
        client = self.client_of(self.url, queues=(Queue(nonsense),))
        client.startService()
        with capturedLogs() as said:
            await self.until(lambda: any("a fault on this side" in formatEvent(event) for event in said))
        self.assertTrue(self.flushLoggedErrors(TypeError))

    async def test_private_queue_is_exclusive(self) -> None:
        """Nobody else gets at it, and it is gone with its connection."""
        client = await self.client()
        private = client.subscribe(Queue("answers", private=True), Inbox(), 1)
        await client.when_connected()
        address = str(private.address)
        self.assertIn(address, rabbitmq().queue_names(self.url))
        self.assertRegex(address, r"^answers\.[0-9a-f]{16}$")
        await client.stopService()
        await self.until(lambda: address not in rabbitmq().queue_names(self.url))

    async def test_queues_of_an_existing_installation(self) -> None:
        """Classic queues and a transient exchange are used as they are, and one line each says so, once."""
        channel = self.channel()
        channel.exchange_declare("cronq", "direct")
        channel.queue_declare(JOBS)
        channel.queue_declare(RESULTS, durable=True)
        with capturedLogs() as said:
            client = await self.client()
            await self.lose(client)
            await self.come_back(client)
        lines = [formatEvent(event) for event in said if "as it is" in str(event["log_format"])]
        self.assertEqual(
            [line.partition(" is ")[0] for line in lines],
            ["exchange cronq", "queue cronq_jobs", "queue cronq_results"],
        )
        self.assertIn("inequivalent arg 'durable' for queue 'cronq_jobs'", lines[1])
        inbox = Acceptor()
        client.subscribe(WORK, inbox, 1)
        await self.publish(client, job(1))
        await self.until(lambda: inbox.bodies == bodies(1))

    async def test_what_a_message_carries(self) -> None:
        """Persistent JSON with its id, the address for the answer, and the reason of a dead one."""
        client = await self.client()
        body = json.dumps({"run_id": "77"}).encode()
        await self.publish(client, Message(DEAD, body, "77", reply_to="answers.1", reason="no JSON: é" * 500))
        _, properties, received = self.channel().basic_get(DEAD, auto_ack=True)
        self.assertEqual(received, body)
        self.assertEqual(
            (properties.content_type, properties.delivery_mode, properties.message_id, properties.reply_to),
            ("application/json", 2, "77", "answers.1"),
        )
        self.assertEqual(properties.headers["x-cronq-reason"], ("no JSON: é" * 500)[:1000])

    async def test_priority_of_a_message(self) -> None:
        """It is said of each, also when it is the lowest: a broker may take silence for something else."""
        client = await self.client()
        for number in (0, 7):
            await self.publish(client, Message(DEAD, b"{}", str(number), priority=number))
        channel = self.channel()
        said = [channel.basic_get(DEAD, auto_ack=True)[1].priority for _ in range(2)]
        self.assertEqual(said, [0, 7])

    async def test_message_of_another_program(self) -> None:
        """A message without any property, such as 0.27 publishes, is delivered."""
        client = await self.client()
        inbox = Acceptor()
        client.subscribe(WORK, inbox, 1)
        self.channel().basic_publish("cronq", "default", b"{}")
        await self.arrival(inbox)
        self.assertEqual((inbox.deliveries[0].message_id, inbox.deliveries[0].reply_to), (None, None))

    async def test_deleted_queue_is_declared_again(self) -> None:
        """A subscriber whose queue somebody deletes has a new one a second later."""
        client = await self.client()
        inbox = Acceptor()
        client.subscribe(Queue("pool", ("pool",)), inbox, 1)
        await client.when_connected()
        with capturedLogs() as said:
            self.channel().queue_delete("pool")
            await self.fails(client.publish(job(1, "pool")), Unroutable)
            await self.until(lambda: bool(said))
        self.assertIn("the subscription to pool: its queue is gone", formatEvent(said[0]))
        await client.when_connected()
        await self.publish(client, job(2, "pool"))
        await self.until(lambda: inbox.bodies == bodies(2))

    async def test_deleted_exchange_is_declared_again(self) -> None:
        """A publisher hears that its message did not arrive, and everything is declared anew."""
        client = await self.client()
        self.channel().exchange_delete("cronq")
        text = await self.fails(client.publish(job(1)), BrokerUnavailable)
        self.assertIn("NOT_FOUND - no exchange 'cronq'", text)
        await client.when_connected()
        await self.publish(client, job(2))
        self.assertEqual(rabbitmq().queue_lengths(self.url)[JOBS], 1)
