"""What a RabbitMQ does rarely, or at the worst moment; told by a scripted one, in virtual time."""

from inspect import iscoroutine
from typing import Any

from pika import BasicProperties, frame, spec
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from cronq.broker.addresses import Address
from cronq.broker.amqp.connection import Connection
from cronq.broker.amqp.consumer import Consumer
from cronq.broker.amqp.publisher import Publisher, open_publisher
from cronq.broker.interface import Delivery, Message
from cronq.domain.errors import BrokerUnavailable, Unroutable
from tests.broker.harness import Inbox, bodies, job
from tests.broker.scripted import ScriptedServer

PATIENCE = 30.0


class ScriptedTestCase(SynchronousTestCase):
    """A client that is let in by a scripted server."""

    address = Address("broker", user="me", password="hush", blocked_connection_timeout=100)

    def setUp(self) -> None:
        self.clock = Clock()
        self.connection = Connection(self.clock, self.address, "test", PATIENCE)
        self.server = ScriptedServer(self.connection, self.clock)

    def connect(self) -> None:
        self.server.accept()
        self.successResultOf(self.connection.opened)

    def result(self, happening: Any) -> Any:
        """What a coroutine or Deferred comes to as soon as the server has answered."""
        outcome = Deferred.fromCoroutine(happening) if iscoroutine(happening) else happening
        self.clock.advance(0)
        return self.successResultOf(outcome)


class ConnectionTests(ScriptedTestCase):
    def refusal(self) -> str:
        return str(self.failureResultOf(self.connection.opened, BrokerUnavailable).value)

    def test_client_says_who_it_is(self) -> None:
        """The broker's own tools show the client's name."""
        self.connect()
        properties = self.server.asked_for(spec.Connection.StartOk)[0].client_properties
        self.assertEqual(properties["connection_name"], "test")

    def test_options_of_the_connection(self) -> None:
        """A grant is not held back for a full packet, and a dead peer is noticed without heartbeats too."""
        self.connect()
        self.assertEqual(self.server.options, {"no delay": True, "keepalive": True})

    def test_server_that_closes_at_once(self) -> None:
        """Something else listens there, or a broker that wants TLS."""
        self.server.silent = True
        self.server.accept()
        self.server.lose()
        self.assertEqual(
            self.refusal(),
            "no connection to the broker at broker:5672: it does not speak AMQP 0-9-1, or wants TLS",
        )

    def test_server_that_sends_something_else(self) -> None:
        """No traceback for what is no AMQP."""
        for greeting in (bytes(8), b"\1\0\0\0\0\0\4\0\1\2\3\xce", b"\2\0\0\0\0\0\0\xce"):
            self.setUp()
            self.server.silent = True
            self.server.accept()
            self.connection.dataReceived(greeting)
            self.assertIn("it does not speak AMQP 0-9-1", self.refusal())

    def test_broker_without_memory(self) -> None:
        """A blocked connection is one line when it begins and one when it ends."""
        self.connect()
        with capturedLogs() as said:
            self.server.send(spec.Connection.Blocked("low on memory"))
            self.server.send(spec.Connection.Unblocked())
        self.assertEqual([event["log_level"].name for event in said], ["warn", "info"])
        self.assertEqual((str(said[0]["where"]), said[0]["why"]), ("broker:5672", "low on memory"))

    def test_blocked_for_longer_than_the_url_allows(self) -> None:
        """`blocked_connection_timeout` ends the connection, with that cause."""
        self.connect()
        self.server.send(spec.Connection.Blocked("low on disk"))
        self.clock.advance(99)
        self.assertTrue(self.server.connected)
        self.clock.advance(1)
        self.assertEqual(self.connection.cause, "blocked for longer than blocked_connection_timeout")

    def test_silent_broker(self) -> None:
        """A broker from which nothing comes for a heartbeat's time is left, though TCP sees no fault."""
        self.connect()
        self.clock.pump([1.0] * 130)
        self.assertFalse(self.server.connected)
        self.assertEqual(self.connection.cause, "no heartbeat arrives")

    def test_request_without_an_answer(self) -> None:
        """A queue without a leader leaves its declaration unanswered, for ever."""
        self.connect()
        channel = self.result(self.connection.open_channel())
        self.server.silent = True
        answer = channel.ask(channel.pika.queue_declare, queue="q")
        self.clock.advance(PATIENCE)
        self.failureResultOf(answer, BrokerUnavailable)
        self.assertEqual(self.connection.cause, "no answer for 30 s")

    def test_parting_from_a_broker_that_does_not_answer(self) -> None:
        """A daemon that stops waits five seconds for the broker's good-bye and no longer."""
        self.connect()
        self.result(self.connection.open_channel())
        self.server.silent = True
        closed = Deferred.fromCoroutine(self.connection.close())
        self.clock.advance(4.9)
        self.assertNoResult(closed)
        self.clock.advance(0.1)
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_parting_in_good_order(self) -> None:
        """The broker is told, and nothing is left behind."""
        self.connect()
        self.result(self.connection.open_channel())
        self.result(self.connection.close())
        self.assertEqual(len(self.server.asked_for(spec.Connection.Close)), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.result(self.connection.close())

    def test_broker_that_is_stopped(self) -> None:
        """What the broker says when it throws all out is the cause."""
        self.connect()
        lost = self.connection.when_lost()
        self.server.send(
            spec.Connection.Close(320, "CONNECTION_FORCED - broker forced connection closure", 0, 0)
        )
        self.successResultOf(lost)
        self.assertEqual(self.connection.cause, "CONNECTION_FORCED - broker forced connection closure")


class PublisherTests(ScriptedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connect()
        self.publisher: Publisher = self.result(open_publisher(self.connection))

    def returned(self, message: Message) -> None:
        """The broker returns a message, as it does some time before its confirm."""
        method = spec.Basic.Return(312, "NO_ROUTE", "cronq", message.routing_key)
        self.server.send_content(method, BasicProperties(message_id=message.message_id), message.body)

    def confirmed(self, number: int, multiple: bool = False) -> None:
        self.server.send(spec.Basic.Ack(number, multiple), 1)

    def test_returned_messages_among_one_confirm_for_all(self) -> None:
        """One confirm for many messages tells each publisher about its own, however late it comes."""
        messages = [job(number) for number in range(1, 6)]
        outcomes = [self.publisher.publish(message) for message in messages]
        self.returned(messages[3])
        self.returned(messages[0])
        self.confirmed(2)
        self.confirmed(5, multiple=True)
        for number in (0, 3):
            self.failureResultOf(outcomes[number], Unroutable)
        for number in (1, 2, 4):
            self.successResultOf(outcomes[number])

    def test_same_message_returned_and_later_routable(self) -> None:
        """A message that is published again after somebody bound a queue is no longer unroutable."""
        first = self.publisher.publish(job(1))
        self.returned(job(1))
        self.confirmed(1)
        self.failureResultOf(first, Unroutable)
        second = self.publisher.publish(job(1))
        self.confirmed(2)
        self.successResultOf(second)

    def test_confirms_in_any_order(self) -> None:
        """A broker may confirm the last first, and repeat itself."""
        outcomes = [self.publisher.publish(job(number)) for number in range(4)]
        for number, multiple in ((3, False), (2, True), (2, True), (3, False), (4, True)):
            self.confirmed(number, multiple)
        for outcome in outcomes:
            self.successResultOf(outcome)

    def test_refused_message(self) -> None:
        """A full queue that refuses messages is no confirm."""
        outcome = self.publisher.publish(job(1))
        self.server.send(spec.Basic.Nack(1), 1)
        self.assertIn("could not take", str(self.failureResultOf(outcome, BrokerUnavailable).value))

    def test_broker_that_confirms_nothing(self) -> None:
        """After `patience` the connection is left, and the cause says how many wait."""
        outcomes = [self.publisher.publish(job(number)) for number in range(3)]
        self.clock.advance(29)
        self.assertTrue(self.server.connected)
        self.clock.advance(1)
        for outcome in outcomes:
            text = str(self.failureResultOf(outcome, BrokerUnavailable).value)
            self.assertEqual(
                text, "no connection to the broker at broker:5672: 3 messages unconfirmed for 30 s"
            )

    def test_broker_that_is_slow_but_confirms(self) -> None:
        """Every confirm is a sign of life; and a publisher that had nothing to say for long starts afresh."""
        outcomes = [self.publisher.publish(job(number)) for number in range(3)]
        for number in (1, 2, 3):
            self.clock.advance(20)
            self.confirmed(number)
        for outcome in outcomes:
            self.successResultOf(outcome)
        self.clock.advance(5)
        late = self.publisher.publish(job(4))
        self.clock.advance(29)
        self.assertNoResult(late)
        self.clock.advance(1)
        self.failureResultOf(late, BrokerUnavailable)

    def test_blocked_broker_is_not_left(self) -> None:
        """The silence of a broker without memory has a reason; counting begins when it ends."""
        outcome = self.publisher.publish(job(1))
        self.server.send(spec.Connection.Blocked("low on memory"))
        self.clock.pump([1.0] * 45)
        self.server.send(spec.Connection.Unblocked())
        self.clock.pump([1.0] * 29)
        self.assertNoResult(outcome)
        self.clock.advance(1)
        self.failureResultOf(outcome, BrokerUnavailable)

    def test_broker_that_closes_the_channel(self) -> None:
        """A publisher that has lost its channel takes a new connection, with which all is declared anew."""
        outcome = self.publisher.publish(job(1))
        self.server.send(spec.Channel.Close(404, "NOT_FOUND - no exchange 'cronq' in vhost '/'", 60, 40), 1)
        self.assertIn("no exchange 'cronq'", str(self.failureResultOf(outcome, BrokerUnavailable).value))
        self.assertFalse(self.server.connected)
        self.assertEqual(self.connection.cause, "NOT_FOUND - no exchange 'cronq' in vhost '/'")
        self.failureResultOf(self.publisher.publish(job(2)), BrokerUnavailable)

    def test_who_gives_up_waiting_disturbs_no_other(self) -> None:
        """A publisher may stop waiting for its confirm."""
        first, second = self.publisher.publish(job(1)), self.publisher.publish(job(2))
        first.addErrback(lambda _: None).cancel()
        self.confirmed(2, multiple=True)
        self.successResultOf(second)

    def test_messages_say_what_they_are(self) -> None:
        """Persistent JSON under its id; the reason of a dead one is bounded."""
        self.publisher.publish(Message("cronq_dead", b"{}", "77", reply_to="me", reason="x" * 5000))
        header = self.server.asked_for(frame.Header)[0].properties
        self.assertEqual(
            (header.content_type, header.delivery_mode, header.message_id, header.reply_to),
            ("application/json", 2, "77", "me"),
        )
        self.assertEqual(header.headers, {"x-cronq-reason": "x" * 1000})


class ConsumerTests(ScriptedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connect()
        self.inbox = Inbox()

    def consume(self, on_delivery: Any, at_most: int = 2) -> Consumer:
        channel = self.result(self.connection.open_channel())
        consumer = Consumer(channel, "cronq_jobs", on_delivery, at_most)
        channel.ended.addCallback(lambda _: consumer.end())
        self.result(consumer.start())
        return consumer

    def deliver(self, number: int, tag: str = "1") -> None:
        method = spec.Basic.Deliver(tag, number, False, "cronq", "default")
        self.server.send_content(method, BasicProperties(message_id=f"m{number}"), b"%d" % number)

    def given_back(self) -> list[int]:
        return [
            method.delivery_tag
            for kind in (spec.Basic.Nack, spec.Basic.Reject)
            for method in self.server.asked_for(kind)
            if method.requeue
        ]

    def test_message_under_way_while_pausing_is_given_back(self) -> None:
        """A message that crosses the request to pause is for others."""
        consumer = self.consume(self.inbox)
        self.server.silent = True
        paused = consumer.pause()
        self.deliver(1)
        self.assertNoResult(paused)
        self.assertEqual((self.inbox.bodies, self.given_back()), ([], [1]))

    def test_more_than_asked_for_waits_and_is_given_back_by_a_pause(self) -> None:
        """What comes beyond the limit after a pause waits its turn, and goes back with the next pause."""
        consumer = self.consume(self.inbox)
        for number in range(1, 6):
            self.deliver(number)
        self.inbox.deliveries[0].accept()
        self.assertEqual(self.inbox.bodies, bodies(1, 2))
        self.clock.advance(0)
        self.assertEqual(self.inbox.bodies, bodies(1, 2, 3))
        self.inbox.deliveries[1].give_back()
        consumer.pause()
        self.clock.advance(0)
        self.assertEqual((self.inbox.bodies, self.given_back()), (bodies(1, 2, 3), [2, 4, 5]))

    def test_what_waits_is_forgotten_with_the_channel(self) -> None:
        """After a lost connection nothing of it is passed on."""
        self.consume(self.inbox, 1)
        self.deliver(1)
        self.deliver(2)
        self.inbox.deliveries[0].accept()
        self.server.lose()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((self.inbox.bodies, self.inbox.deliveries[0].alive), (bodies(1), False))

    def test_pausing_on_a_channel_that_is_closing(self) -> None:
        """A service that pauses while the daemon stops is not punished for it."""
        consumer = self.consume(self.inbox, 1)
        self.deliver(1)
        self.deliver(2)
        self.server.silent = True
        Deferred.fromCoroutine(self.connection.close())
        self.failureResultOf(consumer.pause())
        self.inbox.deliveries[0].accept()
        self.assertFalse(self.inbox.deliveries[0].alive)

    def test_consumer_cancelled_by_the_broker(self) -> None:
        """RabbitMQ 4.3 cancels who holds a message for too long: its deliveries are no longer alive."""
        self.consume(self.inbox)
        self.deliver(1)
        self.server.send(spec.Basic.Cancel("1"), 1)
        self.assertFalse(self.inbox.deliveries[0].alive)
        self.assertEqual(len(self.server.asked_for(spec.Channel.Close)), 1)

    def test_retired_consumer_leaves_when_its_hands_are_empty(self) -> None:
        """After a cancel the channel stays for what may still be accepted."""
        accepted: list[Delivery] = []
        consumer = self.consume(accepted.append)
        self.deliver(1)
        self.result(consumer.retire())
        self.assertEqual(self.server.asked_for(spec.Channel.Close), [])
        accepted[0].accept()
        self.assertEqual(len(self.server.asked_for(spec.Channel.Close)), 1)
