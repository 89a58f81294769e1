"""Contract of `cronq.broker.interface`. Import the module: trial runs each class that it has by name."""

from twisted.internet.defer import Deferred

from cronq.broker.interface import DEAD, DEFAULT_ROUTING_KEY, JOBS, RESULTS, Delivery, Message, Queue
from cronq.domain.errors import BrokerUnavailable, Unroutable
from tests.broker.harness import WORK, Acceptor, BrokerTestCase, Inbox, bodies, job


class BrokerSuite(BrokerTestCase):
    """Inherited by the tests of each implementation."""

    async def test_published_message_reaches_a_subscriber(self) -> None:
        """A message arrives with all that was said about it."""
        client = await self.client()
        inbox = Inbox()
        client.subscribe(WORK, inbox, 1)
        await self.publish(client, Message("default", b'{"name": "a"}', "0123abcd", reply_to="answers.1"))
        await self.arrival(inbox, 1)
        delivery = inbox.deliveries[0]
        self.assertEqual(
            (delivery.body, delivery.message_id, delivery.reply_to),
            (b'{"name": "a"}', "0123abcd", "answers.1"),
        )
        self.assertTrue(delivery.alive)

    async def test_shared_queues_are_there_from_the_start(self) -> None:
        """Whatever is published for jobs, results and the dead is kept before anybody subscribes."""
        client = await self.client()
        await self.publish(client, job(1), job(2, DEAD))
        for queue, expected in ((WORK, b"1"), (Queue(DEAD, (DEAD,)), b"2")):
            inbox = Acceptor()
            client.subscribe(queue, inbox, 1)
            await self.arrival(inbox)
            self.assertEqual(inbox.bodies, [expected])

    async def test_empty_binary_and_big_bodies_arrive_unchanged(self) -> None:
        """A body is bytes, of any value and from none to a MiB."""
        client = await self.client()
        contents = [b"", bytes(range(256)), bytes(range(256)) * 4096]
        inbox = Acceptor()
        client.subscribe(WORK, inbox, 10)
        await self.publish(client, *(Message("default", body, f"{len(body)}") for body in contents))
        await self.arrival(inbox, 3)
        self.assertEqual(inbox.bodies, contents)

    async def test_messages_arrive_in_order(self) -> None:
        """One publisher's messages reach the only subscriber in the order in which they were published."""
        client = await self.client()
        inbox = Acceptor()
        client.subscribe(WORK, inbox, 7)
        await self.publish(client, *map(job, range(100)))
        await self.arrival(inbox, 100)
        self.assertEqual(inbox.bodies, bodies(*range(100)))

    async def test_key_without_a_queue_is_unroutable(self) -> None:
        """The publisher hears that nobody takes a routing key, and which."""
        client = await self.client()
        self.assertIn("nobody", await self.fails(client.publish(job(1, "nobody")), Unroutable))

    async def test_endless_key_is_unroutable(self) -> None:
        """A routing key that no queue can be bound to harms nobody else."""
        client = await self.client()
        await self.fails(client.publish(job(1, "ж" * 255)), Unroutable)
        await self.publish(client, job(2))

    async def test_exactly_the_unroutable_of_many_fail(self) -> None:
        """Of hundreds of messages in flight each publisher hears about its own."""
        client = await self.client()
        sent = [job(number, "nobody" if number % 7 == 3 else "default") for number in range(400)]
        outcomes = [client.publish(message) for message in sent]
        for message, outcome in zip(sent, outcomes, strict=True):
            if message.routing_key == "nobody":
                await self.fails(outcome, Unroutable)
            else:
                await self.result(outcome)

    async def test_queue_bound_to_several_keys_gets_all(self) -> None:
        """A runner may serve several routing keys from one queue."""
        client = await self.client()
        inbox = Acceptor()
        client.subscribe(Queue("pool", ("small", "large")), inbox, 2)
        await self.result(client.when_connected())
        await self.publish(client, job(1, "small"), job(2, "large"))
        await self.arrival(inbox, 2)
        self.assertEqual(inbox.bodies, bodies(1, 2))

    async def test_each_queue_bound_to_a_key_gets_a_copy(self) -> None:
        """Two queues that are bound to one routing key get the message each."""
        client = await self.client()
        inboxes = Acceptor(), Acceptor()
        for name, inbox in zip(("here", "there"), inboxes, strict=True):
            client.subscribe(Queue(name, ("both",)), inbox, 1)
        await self.result(client.when_connected())
        await self.publish(client, job(5, "both"))
        await self.until(lambda: all(inbox.deliveries for inbox in inboxes))
        self.assertEqual([inbox.bodies for inbox in inboxes], [bodies(5), bodies(5)])

    async def test_no_more_than_asked_for_are_delivered(self) -> None:
        """A subscriber that takes two gets the third once it has accepted one."""
        client = await self.client()
        inbox = Inbox()
        client.subscribe(WORK, inbox, 2)
        await self.publish(client, *map(job, range(4)))
        await self.settle(client)
        self.assertEqual(inbox.bodies, bodies(0, 1))
        inbox.deliveries[1].accept()
        await self.arrival(inbox, 3)
        await self.settle(client)
        self.assertEqual(inbox.bodies, bodies(0, 1, 2))

    async def test_second_answer_does_nothing(self) -> None:
        """Neither does it disturb the subscription, nor does an accepted message come back."""
        client = await self.client()
        inbox = Inbox()
        client.subscribe(WORK, inbox, 1)
        await self.publish(client, job(1), job(2))
        await self.arrival(inbox)
        inbox.deliveries[0].accept()
        self.assertFalse(inbox.deliveries[0].alive)
        inbox.deliveries[0].give_back()
        inbox.deliveries[0].accept()
        await self.settle(client)
        self.assertEqual(inbox.bodies, bodies(1, 2))
        self.assertTrue(inbox.deliveries[1].alive)

    async def test_message_given_back_is_delivered_to_another(self) -> None:
        """What one subscriber cannot use, the next one gets."""
        first, second = await self.client(), await self.client()
        inbox, other = Inbox(), Acceptor()
        subscription = first.subscribe(WORK, inbox, 1)
        await self.publish(first, job(1))
        await self.arrival(inbox)
        subscription.pause()
        second.subscribe(WORK, other, 1)
        inbox.deliveries[0].give_back()
        await self.arrival(other)
        self.assertEqual((inbox.bodies, other.bodies), (bodies(1), bodies(1)))

    async def test_message_given_back_comes_again(self) -> None:
        """A subscriber that pauses and gives back gets the message when it resumes, sooner or later."""
        client = await self.client()
        inbox = Inbox()
        subscription = client.subscribe(WORK, inbox, 1)
        await self.publish(client, *map(job, range(3)))
        await self.arrival(inbox)
        subscription.pause()
        inbox.deliveries[0].give_back()
        await self.settle(client)
        self.assertEqual(inbox.bodies, bodies(0))
        subscription.resume()
        for number in range(3):
            await self.arrival(inbox, number + 2)
            inbox.deliveries[-1].accept()
        self.assertEqual(sorted(inbox.bodies), bodies(0, 0, 1, 2))

    async def test_two_subscribers_share_a_queue(self) -> None:
        """Each message goes to one of those who subscribe, and none of them starves."""
        clients = await self.client(), await self.client()
        inboxes = Inbox(), Inbox()
        for client, inbox in zip(clients, inboxes, strict=True):
            client.subscribe(WORK, inbox, 2)
            await self.result(client.when_connected())
        await self.publish(clients[0], *map(job, range(4)))
        await self.until(lambda: [len(inbox.deliveries) for inbox in inboxes] == [2, 2])
        self.assertEqual(sorted(inboxes[0].bodies + inboxes[1].bodies), bodies(*range(4)))

    async def test_accepted_message_does_not_come_again(self) -> None:
        """After a lost connection exactly what was not accepted is delivered again."""
        client = await self.client()
        inbox = Inbox()
        client.subscribe(WORK, inbox, 3)
        await self.publish(client, *map(job, range(4)))
        await self.arrival(inbox, 3)
        inbox.deliveries[1].accept()
        await self.arrival(inbox, 4)
        await self.settle(client)
        await self.lose(client)
        self.assertEqual([delivery.alive for delivery in inbox.deliveries], [False] * 4)
        await self.come_back(client)
        await self.arrival(inbox, 7)
        self.assertEqual(sorted(inbox.bodies[4:]), bodies(0, 2, 3))

    async def test_message_among_accepted_ones_stays_in_hand(self) -> None:
        """What came before and after it is accepted at once, and only that one comes again."""
        client, other = await self.client(), await self.client()
        inbox, rest = Inbox(), Acceptor()
        client.subscribe(WORK, inbox, 5)
        await self.publish(client, *map(job, range(6)))
        await self.arrival(inbox, 5)
        for number in (4, 0, 3, 1):
            inbox.deliveries[number].accept()
        await self.arrival(inbox, 6)
        self.assertTrue(inbox.deliveries[2].alive)
        inbox.deliveries[5].accept()
        await self.settle(client)
        await self.lose(client)
        other.subscribe(WORK, rest, 5)
        await self.arrival(rest)
        await self.settle(other)
        self.assertEqual(rest.bodies, bodies(2))

    async def test_dead_delivery_can_neither_be_accepted_nor_given_back(self) -> None:
        """An answer to a delivery of a lost connection does nothing, also when there is a new connection."""
        client = await self.client()
        inbox = Inbox()
        client.subscribe(WORK, inbox, 2)
        await self.publish(client, job(1), job(2))
        await self.arrival(inbox, 2)
        await self.lose(client)
        inbox.deliveries[0].accept()
        await self.come_back(client)
        await self.arrival(inbox, 4)
        inbox.deliveries[0].accept()
        inbox.deliveries[1].give_back()
        await self.settle(client)
        self.assertEqual(sorted(inbox.bodies), bodies(1, 1, 2, 2))
        self.assertEqual([delivery.alive for delivery in inbox.deliveries], [False, False, True, True])

    async def test_unaccepted_message_of_a_lost_client_goes_to_another(self) -> None:
        """When a runner is cut off, another one gets what it had."""
        first, second = await self.client(), await self.client()
        inbox, other = Inbox(), Acceptor()
        first.subscribe(WORK, inbox, 1)
        await self.publish(first, job(1))
        await self.arrival(inbox)
        second.subscribe(WORK, other, 1)
        self.cut(first)
        await self.arrival(other)
        self.assertEqual(other.bodies, bodies(1))

    async def test_publishing_without_a_connection_fails(self) -> None:
        """A publisher hears at once that there is no connection, before the first and after a lost one."""
        client = self.new_client()
        await self.fails(client.publish(job(1)), BrokerUnavailable)
        client.startService()
        await self.result(client.when_connected())
        await self.lose(client)
        await self.fails(client.publish(job(2)), BrokerUnavailable)
        await self.come_back(client)
        await self.publish(client, job(3))

    async def test_publisher_in_flight_hears_of_the_lost_connection(self) -> None:
        """Nobody waits for ever for a confirm that cannot come."""
        client = await self.client()
        outcomes = [client.publish(job(number)) for number in range(20)]
        self.cut(client)
        for outcome in outcomes:
            outcome.addErrback(lambda failure: failure.trap(BrokerUnavailable))
            await self.result(outcome)

    async def test_waiting_for_a_connection(self) -> None:
        """Those who wait are told when the connection is there; one who gives up disturbs no other."""
        client = self.new_client()
        waiting = [client.when_connected() for _ in range(3)]
        self.assertEqual([each.called for each in waiting], [False] * 3)
        waiting[0].addErrback(lambda _: None).cancel()
        client.startService()
        for each in waiting[1:]:
            await self.result(each)
        await self.lose(client)
        again = client.when_connected()
        self.assertFalse(again.called)
        self.restore(client)
        await self.result(again)

    async def test_subscription_outlives_the_connection(self) -> None:
        """A subscriber asks once and gets messages before and after an outage."""
        client = await self.client()
        inbox = Acceptor()
        client.subscribe(Queue("pool", ("pool",)), inbox, 1)
        await self.result(client.when_connected())
        await self.publish(client, job(1, "pool"))
        await self.arrival(inbox, 1)
        await self.lose(client)
        await self.come_back(client)
        await self.publish(client, job(2, "pool"))
        await self.arrival(inbox, 2)
        self.assertEqual(inbox.bodies, bodies(1, 2))

    async def test_subscribing_before_there_is_a_connection(self) -> None:
        """The order in which a daemon starts its parts does not matter."""
        client = self.new_client()
        inbox = Acceptor()
        subscription = client.subscribe(WORK, inbox, 1)
        self.assertIsNone(subscription.address)
        client.startService()
        await self.result(client.when_connected())
        self.assertEqual(subscription.address, JOBS)
        await self.publish(client, job(1))
        await self.until(lambda: inbox.bodies == bodies(1))

    async def test_answer_by_a_private_queue(self) -> None:
        """A request names a private queue, and the answer goes straight there."""
        asking, answering = await self.client(), await self.client()
        requests, answers = Acceptor(), Acceptor()
        private = asking.subscribe(Queue("answers", private=True), answers, 5)
        answering.subscribe(Queue(RESULTS, (RESULTS,)), requests, 5)
        await self.result(asking.when_connected())
        self.assertTrue(str(private.address).startswith("answers."))
        request = asking.publish(Message(RESULTS, b"may I?", "r1", reply_to=private.address))
        await self.arrival(requests)
        await self.result(request)
        address = str(requests.deliveries[0].reply_to)
        await self.publish(answering, Message(address, b"yes", "r1", direct=True))
        await self.arrival(answers)
        self.assertEqual(answers.bodies, [b"yes"])

    async def test_private_queue_is_new_at_each_connection(self) -> None:
        """The old address leads nowhere after an outage, and the publisher hears it."""
        client, other = await self.client(), await self.client()
        inbox = Acceptor()
        private = client.subscribe(Queue("answers", private=True), inbox, 1)
        await self.result(client.when_connected())
        before = str(private.address)
        await self.lose(client)
        self.assertIsNone(private.address)
        await self.come_back(client)
        after = str(private.address)
        self.assertNotEqual(before, after)
        await self.fails(other.publish(Message(before, b"old", "1", direct=True)), Unroutable)
        await self.publish(other, Message(after, b"new", "2", direct=True))
        await self.until(lambda: inbox.bodies == [b"new"])

    async def test_private_queues_of_two_are_two(self) -> None:
        """Two runners that use the same name for their private queue do not get each other's answers."""
        addresses = set()
        for client in (await self.client(), await self.client()):
            private = client.subscribe(Queue("answers", private=True), Inbox(), 1)
            await self.result(client.when_connected())
            addresses.add(private.address)
        self.assertEqual(len(addresses), 2)

    async def test_paused_subscription_gets_nothing(self) -> None:
        """Messages stay in the queue, for others, until the subscriber resumes."""
        client = await self.client()
        inbox = Acceptor()
        subscription = client.subscribe(WORK, inbox, 5)
        await self.result(client.when_connected())
        subscription.pause()
        await self.publish(client, job(1))
        await self.settle(client)
        self.assertEqual(inbox.bodies, [])
        subscription.resume()
        await self.until(lambda: inbox.bodies == bodies(1))

    async def test_what_is_in_hand_counts_after_a_pause(self) -> None:
        """A subscriber that pauses and resumes never holds more than it asked for."""
        client = await self.client()
        inbox = Inbox()
        subscription = client.subscribe(WORK, inbox, 2)
        await self.publish(client, *map(job, range(5)))
        await self.arrival(inbox, 2)
        for _ in range(3):
            subscription.pause()
            await self.settle(client)
            subscription.resume()
            await self.settle(client)
        self.assertEqual(inbox.bodies, bodies(0, 1))
        for number in range(2, 5):
            inbox.deliveries[number - 2].accept()
            await self.arrival(inbox, number + 1)
        self.assertEqual(sorted(inbox.bodies), bodies(*range(5)))

    async def test_hasty_pauses_lose_nothing(self) -> None:
        """However quickly a subscriber changes its mind, each message comes once."""
        client = await self.client()
        inbox = Acceptor()
        subscription = client.subscribe(WORK, inbox, 3)
        for number in range(60):
            subscription.pause()
            if number % 3:
                subscription.resume()
                subscription.pause()
            await self.publish(client, job(number))
            subscription.resume()
        await self.arrival(inbox, 60)
        await self.settle(client)
        self.assertEqual(sorted(inbox.bodies), sorted(bodies(*range(60))))

    async def test_pausing_and_resuming_twice(self) -> None:
        """Asking for what is so already changes nothing."""
        client = await self.client()
        inbox = Acceptor()
        subscription = client.subscribe(WORK, inbox, 1)
        await self.result(client.when_connected())
        for change in (subscription.pause, subscription.pause, subscription.resume, subscription.resume):
            change()
        await self.publish(client, job(1), job(2))
        await self.arrival(inbox, 2)
        await self.settle(client)
        self.assertEqual(inbox.bodies, bodies(1, 2))

    async def test_asking_for_no_message_at_all(self) -> None:
        """A limit of nothing is a fault of the program, not an endless stream."""
        client = self.new_client()
        self.assertRaises(ValueError, client.subscribe, WORK, Inbox(), 0)

    async def test_pause_survives_an_outage(self) -> None:
        """A subscriber that paused is not woken up by a new connection."""
        client = await self.client()
        inbox = Acceptor()
        subscription = client.subscribe(WORK, inbox, 1)
        subscription.pause()
        await self.lose(client)
        await self.come_back(client)
        await self.publish(client, job(1))
        await self.settle(client)
        self.assertEqual(inbox.bodies, [])
        subscription.resume()
        await self.until(lambda: inbox.bodies == bodies(1))

    async def test_cancelled_subscription_gets_nothing(self) -> None:
        """Nothing comes after a cancel, what is in hand may still be accepted, and the rest is for others."""
        client, other = await self.client(), await self.client()
        inbox, rest = Inbox(), Acceptor()
        subscription = client.subscribe(WORK, inbox, 1)
        await self.publish(client, *map(job, range(3)))
        await self.arrival(inbox, 1)
        await self.result(subscription.cancel())
        inbox.deliveries[0].accept()
        await self.settle(client)
        await self.lose(client)
        await self.come_back(client)
        other.subscribe(WORK, rest, 5)
        await self.arrival(rest, 2)
        await self.settle(other)
        self.assertEqual((inbox.bodies, rest.bodies), (bodies(0), bodies(1, 2)))

    async def test_cancelling_at_once(self) -> None:
        """A subscription may be cancelled before it stands, and then stops nobody."""
        client = await self.client()
        inbox = Acceptor()
        await self.publish(client, job(1))
        await self.result(client.subscribe(WORK, inbox, 1).cancel())
        await self.settle(client)
        self.assertEqual(inbox.bodies, [])

    async def test_cancelled_private_queue_is_gone(self) -> None:
        """Whoever answers to it hears that nobody listens any more."""
        client = await self.client()
        private = client.subscribe(Queue("answers", private=True), Inbox(), 1)
        await self.result(client.when_connected())
        address = str(private.address)
        await self.result(private.cancel())
        await self.fails(client.publish(Message(address, b"", "1", direct=True)), Unroutable)

    async def test_subscriber_that_raises_keeps_its_message_and_its_connection(self) -> None:
        """A fault in a service is in the log, and the next message comes."""

        def stumble(delivery: Delivery) -> None:
            inbox(delivery)
            if delivery.body == b"1":
                raise ZeroDivisionError

        client = await self.client()
        inbox = Inbox()
        client.subscribe(WORK, stumble, 2)
        await self.publish(client, job(1), job(2))
        await self.arrival(inbox, 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual([delivery.alive for delivery in inbox.deliveries], [True, True])

    async def test_stopping_gives_back_what_is_unaccepted(self) -> None:
        """A daemon that stops leaves its messages to the next one, and all who wait for it hear it."""
        client, heir = await self.client(), await self.client()
        inbox, inherited = Inbox(), Acceptor()
        client.subscribe(WORK, inbox, 2)
        await self.publish(client, job(1), job(2))
        await self.arrival(inbox, 2)
        inbox.deliveries[0].accept()
        await self.result(client.stopService())
        self.assertFalse(inbox.deliveries[1].alive)
        heir.subscribe(WORK, inherited, 2)
        await self.arrival(inherited)
        await self.settle(heir)
        self.assertEqual(inherited.bodies, bodies(2))
        await self.fails(client.publish(job(3)), BrokerUnavailable)

    async def test_stopping_without_a_connection(self) -> None:
        """A daemon can be stopped while the broker is away; those who wait for it hear it."""
        client = await self.client()
        await self.lose(client)
        waiting = client.when_connected()
        stopped: Deferred[None] = client.stopService()
        await self.fails(waiting, BrokerUnavailable)
        await self.result(stopped)

    async def test_stopped_client_can_be_started_again(self) -> None:
        """Its subscriptions stand again."""
        client = await self.client()
        inbox = Acceptor()
        client.subscribe(WORK, inbox, 1)
        await self.result(client.stopService())
        client.startService()
        await self.result(client.when_connected())
        await self.publish(client, job(1, DEFAULT_ROUTING_KEY))
        await self.until(lambda: inbox.bodies == bodies(1))
