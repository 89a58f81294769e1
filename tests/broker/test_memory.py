"""The in-process broker: the suite of all brokers, and the trouble that it can make on request."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cronq.broker.interface import JOBS, RESULTS, SHARED_QUEUES, Queue
from cronq.broker.memory import MemoryBroker, MemoryConnection
from cronq.domain.errors import BrokerUnavailable
from tests.broker import suite
from tests.broker.harness import WORK, Acceptor, Client, Inbox, bodies, job

T = TypeVar("T")


class MemoryBrokerTests(suite.BrokerSuite):
    """In virtual time, in which everything happens at once and in order."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.broker = MemoryBroker(self.clock)

    def new_client(self) -> Client:
        client = self.broker.connect("test")
        self.addCleanup(client.stopService)
        return client

    def cut(self, client: Client) -> None:
        assert isinstance(client, MemoryConnection)
        client.cut()

    def restore(self, client: Client) -> None:
        assert isinstance(client, MemoryConnection)
        client.restore()

    async def until(self, condition: Callable[[], bool]) -> None:
        self.clock.advance(0)
        self.assertTrue(condition())

    async def result(self, happening: Deferred[T]) -> T:
        await self.until(lambda: happening.called)
        return await happening

    async def test_result_is_confirmed_when_it_is_accepted(self) -> None:
        """A broker that forgets at exit does not confirm a result that nobody has stored."""
        client = await self.client()
        inbox = Inbox()
        client.subscribe(SHARED_QUEUES[1], inbox, 2)
        stored, forgotten = client.publish(job(1, RESULTS)), client.publish(job(2, RESULTS))
        await self.arrival(inbox, 2)
        self.assertFalse(stored.called)
        inbox.deliveries[0].accept()
        await self.result(stored)
        self.assertFalse(forgotten.called)
        self.cut(client)
        await self.fails(forgotten, BrokerUnavailable)

    async def test_result_is_confirmed_to_a_publisher_other_than_the_subscriber(self) -> None:
        """The confirm finds its way from one client to another, also after the message was given back."""
        runner, results = await self.client(), await self.client()
        first, second = Inbox(), Acceptor()
        subscription = results.subscribe(SHARED_QUEUES[1], first, 1)
        confirm = runner.publish(job(1, RESULTS))
        await self.arrival(first)
        subscription.pause()
        first.deliveries[0].give_back()
        results.subscribe(SHARED_QUEUES[1], second, 1)
        await self.result(confirm)

    async def test_priorities(self) -> None:
        """What has a priority comes first, also when it was handed out before; else it goes by order."""
        client = await self.client()
        inbox = Inbox()
        messages = [replace(job(n), priority=priority) for n, priority in enumerate((0, 9, 0, 5, 9))]
        await self.publish(client, *messages)
        subscription = client.subscribe(WORK, inbox, 3)
        await self.arrival(inbox, 3)
        self.assertEqual(inbox.bodies, bodies(1, 4, 3))
        await self.result(subscription.cancel())
        for delivery in inbox.deliveries:
            delivery.give_back()
        again = Acceptor()
        client.subscribe(WORK, again, 9)
        await self.arrival(again, 5)
        self.assertEqual(again.bodies, bodies(1, 4, 3, 0, 2))

    async def test_broker_goes_down_and_comes_up(self) -> None:
        """All are cut off, shared queues keep their messages, and all connect again."""
        clients = [await self.client(), await self.client()]
        await self.publish(clients[0], job(1))
        self.broker.down()
        for client in clients:
            await self.fails(client.publish(job(2)), BrokerUnavailable)
        late = self.broker.connect("late")
        late.startService()
        self.addCleanup(late.stopService)
        waiting = late.when_connected()
        self.clock.advance(0)
        self.assertFalse(waiting.called)
        self.broker.up()
        for each in (*clients, late):
            await self.result(each.when_connected())
        await self.result(waiting)
        self.assertEqual(self.broker.messages(JOBS), bodies(1))

    async def test_a_client_that_is_cut_stays_away_from_a_broker_that_comes_up(self) -> None:
        """Two troubles at once are over when both are."""
        client = await self.client()
        self.cut(client)
        self.broker.down()
        self.broker.up()
        waiting = client.when_connected()
        self.clock.advance(0)
        self.assertFalse(waiting.called)
        self.restore(client)
        await self.result(waiting)

    async def test_message_cut_off_on_its_way_does_not_arrive(self) -> None:
        """A connection lost before the message reached the broker loses the message."""
        client = await self.client()
        confirm = client.publish(job(1))
        self.cut(client)
        await self.fails(confirm, BrokerUnavailable)
        self.clock.advance(0)
        self.assertEqual(self.broker.messages(JOBS), [])

    async def test_acceptance_cut_off_on_its_way_does_not_arrive(self) -> None:
        """A connection lost right after an acceptance may bring the message again, as with a real broker."""
        client = await self.client()
        inbox = Inbox()
        client.subscribe(WORK, inbox, 1)
        await self.publish(client, job(1))
        await self.arrival(inbox)
        inbox.deliveries[0].accept()
        self.cut(client)
        await self.come_back(client)
        self.assertEqual(inbox.bodies, bodies(1, 1))

    async def test_looking_into_a_queue(self) -> None:
        """What waits is seen in order, without what is in hand; an unknown queue is empty."""
        client = await self.client()
        inbox = Inbox()
        await self.publish(client, *map(job, range(4)))
        subscription = client.subscribe(WORK, inbox, 2)
        await self.arrival(inbox, 2)
        self.assertEqual(self.broker.messages(JOBS), bodies(2, 3))
        subscription.pause()
        inbox.deliveries[1].give_back()
        inbox.deliveries[0].give_back()
        self.assertEqual(self.broker.messages(JOBS), bodies(0, 1, 2, 3))
        self.assertEqual(self.broker.messages("nothing"), [])

    async def test_purging_a_queue(self) -> None:
        """The messages are gone, and a publisher that waits for an acceptance does not wait for ever."""
        client = await self.client()
        await self.publish(client, job(1))
        unstored = client.publish(job(2, RESULTS))
        self.clock.advance(0)
        for queue in (JOBS, RESULTS, "nothing"):
            self.broker.purge(queue)
            self.assertEqual(self.broker.messages(queue), [])
        await self.fails(unstored, BrokerUnavailable)

    async def test_private_addresses_are_the_same_in_each_run(self) -> None:
        """A simulation can be run again and happens in the same way."""
        client = await self.client()
        private = client.subscribe(Queue("answers", private=True), Inbox(), 1)
        self.assertEqual(private.address, "answers.1")
