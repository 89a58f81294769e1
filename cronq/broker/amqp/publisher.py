"""Publishing with confirms: each answer of the broker is given to the very message that it is about."""

from typing import Any

from pika import spec
from pika.exceptions import ShortStringTooLong
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall

from cronq.broker.amqp.causes import explain
from cronq.broker.amqp.connection import Channel, Connection
from cronq.broker.amqp.frames import publication
from cronq.broker.amqp.topology import EXCHANGE
from cronq.broker.interface import Message
from cronq.domain.errors import BrokerUnavailable, Unroutable


async def open_publisher(connection: Connection) -> "Publisher":
    """A publisher on a connection. Raises pika's AMQPError."""
    publisher = Publisher(await connection.open_channel())
    await publisher.ask_for_confirms()
    return publisher


class Publisher:
    """Publishes on a channel of its own, as many messages at a time as come."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._connection = channel.connection
        self._clock = channel.connection.clock
        # The broker numbers the messages of a channel from 1 and confirms them by number.
        self._last = 0
        self._oldest = 1
        self._unconfirmed: dict[int, tuple[Message, Deferred[None]]] = {}
        self._returned: set[str] = set()
        self._heard = 0.0
        self._watch: IDelayedCall | None = None
        channel.ended.addCallback(self._end)

    @property
    def is_open(self) -> bool:
        """Whether messages can be published now."""
        return self._connection.is_open and self._channel.is_open

    async def ask_for_confirms(self) -> None:
        """To be awaited before the first message."""
        channel = self._channel.pika
        channel.add_on_return_callback(self._message_returned)
        await self._channel.ask(channel.confirm_delivery, ack_nack_callback=self._answered)

    def publish(self, message: Message) -> Deferred[None]:
        """See `Broker.publish`."""
        if not self._channel.is_open:
            return fail(self._connection.unavailable(self._connection.cause or "it is being closed"))
        exchange = "" if message.direct else EXCHANGE
        try:
            frames = publication(self._channel.number, exchange, message, self._connection.frame_max)
        except ShortStringTooLong:
            return fail(_unroutable(message))
        self._connection.send(frames)
        return self._await_answer(message)

    def _await_answer(self, message: Message) -> Deferred[None]:
        if not self._unconfirmed:
            self._heard = self._clock.seconds()
            self._watch = self._watch or self._clock.callLater(
                self._connection.patience, self._look_for_answers
            )
        self._last += 1
        answer: Deferred[None] = Deferred()
        self._unconfirmed[self._last] = (message, answer)
        return answer

    def _look_for_answers(self) -> None:
        """A broker that gives no answer at all for too long is left; what it has may arrive or not."""
        self._watch = None
        if not self._unconfirmed:
            return
        now, patience = self._clock.seconds(), self._connection.patience
        # While it blocks us its silence has a reason, which has been said.
        silent_since = max(self._heard, min(self._connection.blocked_until, now))
        if silent_since + patience <= now:
            self._connection.abort(f"{len(self._unconfirmed)} messages unconfirmed for {patience:g} s")
        else:
            self._watch = self._clock.callLater(silent_since + patience - now, self._look_for_answers)

    def _message_returned(self, _channel: object, _method: object, properties: Any, _body: bytes) -> None:
        # It comes before the confirm of the same message, with any number of other confirms in between.
        self._returned.add(properties.message_id)

    def _answered(self, frame: Any) -> None:
        method = frame.method
        self._heard = self._clock.seconds()
        refused = isinstance(method, spec.Basic.Nack)
        if not method.multiple:
            self._settle(method.delivery_tag, refused)
            return
        first, self._oldest = self._oldest, method.delivery_tag + 1
        for number in range(first, self._oldest):
            self._settle(number, refused)

    def _settle(self, number: int, refused: bool) -> None:
        if number not in self._unconfirmed:
            return
        message, answer = self._unconfirmed.pop(number)
        if message.message_id in self._returned:
            self._returned.remove(message.message_id)
            answer.errback(_unroutable(message))
        elif refused:
            answer.errback(BrokerUnavailable("the broker could not take the message"))
        else:
            answer.callback(None)

    def _end(self, error: Exception) -> None:
        connection = self._connection
        cause = connection.cause or explain(error, connection.address)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        for _, answer in unconfirmed.values():
            answer.errback(connection.unavailable(cause))
        if connection.is_open:
            # The exchange is gone, say: everything is declared anew with the next connection.
            connection.abort(cause)


def _unroutable(message: Message) -> Unroutable:
    if message.direct:
        return Unroutable(f"there is no queue {message.routing_key!r}")
    return Unroutable(f"no queue is bound to the routing key {message.routing_key!r}")
