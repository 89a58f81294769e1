"""The messages of one queue, as they come by one channel."""

import bisect
import itertools
import math
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from cronq.broker.amqp.connection import Channel
from cronq.broker.amqp.frames import acceptance
from cronq.broker.interface import Delivery

log = Logger()


class AmqpDelivery:
    """See `Delivery`."""

    __slots__ = ("_consumer", "body", "message_id", "number", "reply_to")

    def __init__(self, consumer: "Consumer", number: int, properties: Any, body: bytes) -> None:
        self._consumer: Consumer | None = consumer
        self.number = number
        self.body = body
        self.message_id: str | None = properties.message_id
        self.reply_to: str | None = properties.reply_to

    @property
    def alive(self) -> bool:
        """See `Delivery`."""
        return self._consumer is not None and self._consumer.alive

    def accept(self) -> None:
        """See `Delivery`."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.accept(self.number)

    def give_back(self) -> None:
        """See `Delivery`."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            consumer.give_back(self.number)


class Consumer:
    """Passes on at most so many messages at once.

    The broker's own limit (`basic.qos`) is one of each consumer, as AMQP has it. Asking for messages again
    after a pause makes a new one, with which what is still in hand does not count: it is counted here.
    """

    def __init__(
        self, channel: Channel, address: str, on_delivery: Callable[[Delivery], None], at_most: int
    ) -> None:
        self.connection = channel.connection
        self._channel = channel
        self._address = address
        self._on_delivery = on_delivery
        self._at_most = at_most
        self._tags = map(str, itertools.count(1))
        self._tag: str | None = None
        #: The numbers of what was passed on and is neither accepted nor given back.
        self._in_hand: set[int] = set()
        #: What is accepted, and not acknowledged yet.
        self._accepted: list[int] = []
        self._waiting: deque[AmqpDelivery] = deque()
        self._next_turn: IDelayedCall | None = None
        self._retired = False
        #: Why the broker delivers nothing more, if it was not asked to stop.
        self.fault = ""
        channel.pika.add_on_cancel_callback(self._cancelled_by_broker)

    @property
    def alive(self) -> bool:
        """False once the broker delivers again, to anyone, what came here and is not accepted."""
        return self._channel.is_open

    def start(self) -> Deferred[Any]:
        """Ask for messages; fires when the broker agrees."""
        if self._tag is not None:
            return succeed(None)
        self._tag = next(self._tags)
        return self._channel.ask(
            self._channel.pika.basic_consume,
            queue=self._address,
            on_message_callback=self._message_delivered,
            consumer_tag=self._tag,
        )

    def pause(self) -> Deferred[Any]:
        """Ask for no more; fires when the broker has stopped. What comes until then, pika gives back."""
        while self._waiting and self.alive:
            self._channel.pika.basic_nack(self._waiting.popleft().number)
        if self._tag is None:
            return succeed(None)
        tag, self._tag = self._tag, None
        return self._channel.ask(self._channel.pika.basic_cancel, consumer_tag=tag)

    def retire(self) -> Deferred[Any]:
        """Pause for good. The channel stays while something is in hand that may still be accepted."""
        self._retired = True
        paused = self.pause()
        self._close_when_done()
        return paused

    def accept(self, number: int) -> None:
        """See `Delivery`."""
        if self.alive:
            self._accepted.append(number)
            self._settled(number)

    def give_back(self, number: int) -> None:
        """See `Delivery`."""
        if self.alive:
            # Not basic_reject, which RabbitMQ 4.3 counts as a failure of the message.
            self._channel.pika.basic_nack(number)
            self._settled(number)

    def acknowledge(self) -> None:
        """Tell the broker what is accepted: by one word all that lies before the oldest that is not."""
        accepted, self._accepted = sorted(self._accepted), []
        if not (accepted and self.alive):
            return
        oldest = min([*self._in_hand, *(delivery.number for delivery in self._waiting)], default=math.inf)
        covered = bisect.bisect_left(accepted, oldest)
        if covered:
            self.connection.send(acceptance(self._channel.number, accepted[covered - 1], multiple=True))
        for number in accepted[covered:]:
            self.connection.send(acceptance(self._channel.number, number))

    def end(self) -> None:
        """The channel has ended."""
        self._waiting.clear()
        if self._next_turn is not None:
            self._next_turn.cancel()
            self._next_turn = None

    def _message_delivered(self, _channel: object, method: Any, properties: Any, body: bytes) -> None:
        delivery = AmqpDelivery(self, method.delivery_tag, properties, body)
        if len(self._in_hand) < self._at_most:
            self._pass_on(delivery)
        else:
            self._waiting.append(delivery)

    def _pass_on(self, delivery: AmqpDelivery) -> None:
        self._in_hand.add(delivery.number)
        try:
            self._on_delivery(delivery)
        except Exception:
            log.failure("a message of {queue} was left unaccepted", queue=self._address)

    def _settled(self, number: int) -> None:
        self._in_hand.discard(number)
        if self._retired:
            self._close_when_done()
        elif self._next_turn is None and (self._accepted or self._waiting):
            # Not at once: whoever accepts a message does not expect the next one in the middle of it, and
            # what is accepted together costs one acknowledgement.
            self._next_turn = self.connection.clock.callLater(0, self._go_on)

    def _go_on(self) -> None:
        self._next_turn = None
        self.acknowledge()
        while self._waiting and len(self._in_hand) < self._at_most:
            self._pass_on(self._waiting.popleft())

    def _close_when_done(self) -> None:
        if self._retired:
            self.acknowledge()
            if not self._in_hand:
                self._channel.close()

    def _cancelled_by_broker(self, frame: Any) -> None:
        if frame.method.consumer_tag == self._tag:
            # The second is what RabbitMQ 4.3 does; older ones close the channel, with words.
            self.fault = "its queue is gone, or it had a message in hand for too long"
            self._tag = None
            self._channel.close()
