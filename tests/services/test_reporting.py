"""Telling the broker something that it does not take at once."""

from collections.abc import Callable
from datetime import datetime

from twisted.internet.defer import Deferred, fail, succeed

from cronq.broker.interface import DEAD, RESULTS, Delivery, Message, Queue, QueueDepth, Subscription
from cronq.domain.errors import BrokerUnavailable, Unroutable
from cronq.domain.grants import Grant
from cronq.domain.messages import JobMessage, Report, ResultMessage
from cronq.services.dead_letters import PAUSE, bury
from cronq.services.mailbox import Mailbox
from cronq.services.notebook import Notebook
from cronq.services.reporting import AT_ONCE, WITHOUT_QUEUE, Reports
from cronq.services.starting import Starts
from tests.services.cases import LoggedTestCase
from tests.services.turns import Turns

NOON = datetime(2026, 1, 1, 12)
ENDING, NO_QUEUE = BrokerUnavailable("the connection is ending"), Unroutable("there is no such queue")


def report(number: int = 0) -> ResultMessage:
    return ResultMessage(f"{number:032x}", 1, Report.FINISHED, NOON, "host", return_code=0)


class MoodyBroker:
    """A broker that is always there, and answers at once: with its mood, if it has one."""

    def __init__(self, clock: Turns) -> None:
        self.mood: Exception | None = None
        self.published: list[Message] = []
        self._clock = clock
        self._tries: list[int] = []

    def publish(self, message: Message) -> Deferred[None]:
        if self.mood is not None:
            self._tries.append(self._clock.turns)
            assert self._tries.count(self._clock.turns) < 2 * AT_ONCE, "tried again and again in one turn"
            return fail(self.mood)
        self.published.append(message)
        return succeed(None)

    def depth(self, queue: str) -> Deferred[QueueDepth]:
        return succeed(QueueDepth(0, 0))

    def when_connected(self) -> Deferred[None]:
        return succeed(None)

    def subscribe(self, queue: Queue, on_delivery: Callable[[Delivery], None], at_most: int) -> Subscription:
        return NoSubscription()


class NoSubscription:
    """Nothing ever comes by it."""

    address = "an address"

    def pause(self) -> None:
        pass

    def resume(self) -> None:
        pass

    def cancel(self) -> Deferred[None]:
        return succeed(None)


class OneMessage:
    """A delivery that counts what is said about it."""

    body = b"garbage"
    message_id: str | None = None
    reply_to: str | None = None

    def __init__(self) -> None:
        self.alive = True
        self.accepted = 0

    def accept(self) -> None:
        self.accepted += 1

    def give_back(self) -> None:
        raise AssertionError("it would come again and again")


class MoodTestCase(LoggedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = Turns()
        self.broker = MoodyBroker(self.clock)


class ReportsTests(MoodTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.notebook = Notebook(self.new_folder(), lambda *_: succeed(None))
        self.reports = Reports(self.broker, self.notebook, self.clock)

    def test_connection_that_is_ending(self) -> None:
        """A connection that takes nothing any more, but is not gone yet, is not tried in an endless loop."""
        self.broker.mood = ENDING
        self.reports.report(report())
        self.clock.run_for(10)
        self.broker.mood = None
        self.clock.run_for(1)
        self.assertEqual([message.routing_key for message in self.broker.published], [RESULTS])
        self.assertEqual(self.notebook.undelivered, {})

    def test_no_queue(self) -> None:
        """When there is no queue for reports, that is told, and they wait for one."""
        self.broker.mood = NO_QUEUE
        self.reports.report(report())
        self.clock.run_for(2.5 * WITHOUT_QUEUE)
        self.assert_said("there is no queue for reports; that of run 0{32} waits", times=3)
        self.broker.mood = None
        self.clock.run_for(WITHOUT_QUEUE)
        self.assertEqual(self.notebook.undelivered, {})

    def test_many(self) -> None:
        """After an outage, only so many are under way at once, and all arrive in the end."""
        self.broker.mood = ENDING
        for number in range(3 * AT_ONCE):
            self.reports.report(report(number))
        self.clock.run_for(10)
        self.broker.mood = None
        self.clock.run_for(1)
        self.assertEqual(len({message.message_id for message in self.broker.published}), 3 * AT_ONCE)
        self.assertEqual(self.notebook.undelivered, {})

    def test_of_an_earlier_life(self) -> None:
        """What an earlier life of the runner left is delivered first of all."""
        for number in range(3):
            self.notebook.note_report(report(number))
        self.reports.open()
        self.assertEqual(len(self.broker.published), 3)
        self.assertEqual(self.notebook.undelivered, {})

    def test_close(self) -> None:
        """At the end of patience what is not delivered is kept, and nothing is tried any more."""
        self.broker.mood = ENDING
        self.reports.report(report())
        closed = Deferred.fromCoroutine(self.reports.close(5))
        self.clock.run_for(4.9)
        self.assertNoResult(closed)
        self.clock.run_for(0.2)
        self.successResultOf(closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(len(self.notebook.undelivered), 1)


class StartsTests(MoodTestCase):
    def setUp(self) -> None:
        super().setUp()
        mailbox = Mailbox(self.broker, "runner")
        self.starts = Starts(
            self.broker, self.clock, lambda: NOON, self.clock.seconds, "host", "runner", mailbox
        )
        mailbox.open(self.answered, lambda _: None)

    def answered(self, said: Grant) -> None:
        self.starts.answered(said)

    def test_connection_that_is_ending(self) -> None:
        """Nor is it tried in an endless loop by those who ask whether to start."""
        for grant in (False, True):
            self.broker.mood = ENDING
            job = JobMessage(f"{grant:032x}", 1, "job", "5 s", grant=grant)
            asking = Deferred.fromCoroutine(self.starts.refusal(job, "1" * 32))
            self.clock.run_for(10)
            self.assertEqual(len(self.broker.published), grant)
            self.broker.mood = None
            self.clock.run_for(1)
            self.assertEqual(len(self.broker.published), grant + 1)
            self.assertEqual(asking.called, not grant)
            asking.cancel()
            asking.addErrback(lambda _: None)

    def test_called_off(self) -> None:
        """Who is called off while it asks leaves nothing behind, at any step."""
        for mood, seconds in ((ENDING, 0.0), (NO_QUEUE, 1.0), (None, 1.0), (None, 30.0)):
            self.broker.mood = mood
            job = JobMessage("0" * 32, 1, "job", "", True)
            asking = Deferred.fromCoroutine(self.starts.refusal(job, "1" * 32))
            self.clock.run_for(seconds)
            asking.cancel()
            self.failureResultOf(asking)
            self.assertEqual((self.clock.getDelayedCalls(), self.starts._awaited), ([], {}))


class BuryTests(MoodTestCase):
    def test_broker_that_refuses(self) -> None:
        """What the broker does not take now is tried again later, and accepted when it is safe."""
        self.broker.mood = BrokerUnavailable("the broker could not take the message")
        garbage = OneMessage()
        buried = Deferred.fromCoroutine(bury(self.broker, self.clock, garbage, "a reason"))
        self.clock.run_for(3 * PAUSE)
        self.assertEqual(garbage.accepted, 0)
        self.broker.mood = None
        self.clock.run_for(PAUSE)
        self.successResultOf(buried)
        (dead,) = self.broker.published
        self.assertEqual((dead.routing_key, dead.body, dead.reason), (DEAD, b"garbage", "a reason"))
        self.assertEqual(garbage.accepted, 1)

    def test_connection_lost(self) -> None:
        """When its connection is gone it comes again, so nothing more is done about it."""
        self.broker.mood = ENDING
        garbage = OneMessage()
        buried = Deferred.fromCoroutine(bury(self.broker, self.clock, garbage, "a reason"))
        garbage.alive = False
        self.clock.run_for(PAUSE)
        self.successResultOf(buried)
        self.assertEqual((garbage.accepted, self.broker.published), (0, []))

    def test_no_queue(self) -> None:
        """Without a queue for the dead it is dropped, loudly: it must not block the living."""
        self.broker.mood = NO_QUEUE
        garbage = OneMessage()
        self.successResultOf(Deferred.fromCoroutine(bury(self.broker, self.clock, garbage, "a reason")))
        self.assertEqual(garbage.accepted, 1)
        self.assert_said("there is no queue cronq_dead")
