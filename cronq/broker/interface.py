"""What the services ask of a message broker, in words that belong to no protocol.

`memory` and `amqp` keep this contract, and one suite of tests holds both to it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

RESULTS = "cronq_results"
DEAD = "cronq_dead"
#: Not a queue but a routing key only: of the private queues in which results daemons hear heartbeats.
HEARTBEATS = "cronq_heartbeats"
JOBS = "cronq_jobs"
DEFAULT_ROUTING_KEY = "default"


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue and the routing keys that lead into it."""

    name: str
    #: Routing keys bound to it; a message goes to all queues that are bound to its key. A private queue needs
    #: none: it is reached by its address.
    routing_keys: tuple[str, ...] = ()
    #: Private: it belongs to one subscriber and goes away with its connection. Its real name, the
    #: subscription's `address`, starts with `name` and is new at each connection.
    private: bool = False
    #: A broker that forgets at exit confirms a message in this queue only when its consumer has accepted it.
    confirmed_when_accepted: bool = False


#: The queues that every daemon declares when it connects.
SHARED_QUEUES = (
    Queue(JOBS, (DEFAULT_ROUTING_KEY,)),
    Queue(RESULTS, (RESULTS,), confirmed_when_accepted=True),
    Queue(DEAD, (DEAD,)),
)


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: to a routing key or, when `direct`, into the queue of that very name."""

    routing_key: str
    body: bytes
    #: Unique among the messages that this process has not had confirmed yet.
    message_id: str
    direct: bool = False
    #: The address of a private queue that expects the answer.
    reply_to: str | None = None
    #: Why no one could use the message; header `x-cronq-reason` of what goes to `cronq_dead`.
    reason: str | None = None
    #: From 0 to 9; what has more comes first, as far as the broker and the queue know of it.
    priority: int = 0


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """What the broker says of a queue."""

    #: Messages that are in nobody's hand.
    waiting: int
    consumers: int


class Delivery(Protocol):
    """One message received. Of `accept` and `give_back`, one is called, once; what follows does nothing."""

    body: bytes
    message_id: str | None
    reply_to: str | None

    @property
    def alive(self) -> bool:
        """True while the message is in hand. When the connection it came by is lost, or the broker takes it
        back from a subscriber that has it for too long, it is delivered again, to anyone.
        """

    def accept(self) -> None:
        """Tell the broker to forget the message. Does nothing when the delivery is no longer alive."""

    def give_back(self) -> None:
        """Put the message back into its queue, at the front or the end, for anyone. Does nothing when no
        longer alive.

        Whoever asks for messages gets it again at once: `pause` first. A RabbitMQ of version 4 gives up on
        a message that comes back too often (its delivery limit, 20 unless a policy says otherwise).
        """


class Subscription(Protocol):
    """A standing wish for the messages of a queue; it outlives the connection."""

    @property
    def address(self) -> str | None:
        """The real name of the queue on the present connection; None while there is none."""

    def pause(self) -> None:
        """Ask for no more messages, and give back what is under way: nothing is delivered until `resume`.

        What was delivered before stays in hand.
        """

    def resume(self) -> None:
        """Ask for messages again."""

    def cancel(self) -> Deferred[None]:
        """Ask for no more, for good; a private queue is gone with it. Nothing is delivered any more.

        Fires when the broker knows. What was delivered before may still be accepted or given back.
        """


class Broker(Protocol):
    """One client's connection to the broker, which comes back for ever when it is lost.

    Both implementations are Twisted services: started, they connect; stopped, they give back what is not
    accepted, and all who wait for them fail with `BrokerUnavailable`.
    """

    def publish(self, message: Message) -> Deferred[None]:
        """Publish; fires when the broker has taken responsibility for the message.

        Fails with `Unroutable` when no queue takes it, and with `BrokerUnavailable` when there is no
        connection or it ended (or stayed silent for too long) before the broker's answer: the message may
        then be in a queue or not.
        """

    def subscribe(self, queue: Queue, on_delivery: Callable[[Delivery], None], at_most: int) -> Subscription:
        """Declare the queue and pass its messages to `on_delivery`, never more than `at_most` (1 or more)
        at once that are neither accepted nor given back. Declared and subscribed again at each connection.
        Raises ValueError for a smaller `at_most`.

        An exception from `on_delivery` is logged, and its message stays in hand as if none had come.
        """

    def depth(self, queue: str) -> Deferred[QueueDepth]:
        """How many messages wait in one of the shared queues, and how many take from it, on this broker now.

        Fails with `BrokerUnavailable`.
        """

    def when_connected(self) -> Deferred[None]:
        """Fires as soon as there is a connection, on which all queues and subscriptions stand."""
