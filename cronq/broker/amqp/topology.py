"""The exchange and the queues: declared with as few arguments as possible, or used as they are."""

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from pika.exceptions import ChannelClosedByBroker
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cronq.broker.amqp.causes import PRECONDITION_FAILED
from cronq.broker.amqp.connection import Channel, Connection
from cronq.broker.interface import Queue, QueueDepth

log = Logger()

EXCHANGE = "cronq"

#: Declares one thing on the channel it is given.
_Declaration = Callable[[Channel], Deferred[Any]]


class Topology:
    """Declares what a client needs; remembers what it has said of things that are not as it would make them.

    A queue's type cannot be changed by a policy, so it is an argument; all else is left to policies, because
    declaring a queue that exists with other arguments is an error.
    """

    def __init__(self) -> None:
        self._said: set[str] = set()

    async def declare_exchange(self, connection: Connection) -> None:
        """Declare the exchange. Raises pika's AMQPError."""
        channel = await connection.open_channel()
        channel = await self._declare(channel, f"exchange {EXCHANGE}", _exchange)
        channel.close()

    async def declare(self, connection: Connection, queue: Queue, address: str) -> None:
        """Declare a queue under its real name, and bind it. Raises pika's AMQPError."""
        channel = await connection.open_channel()
        kind = _private_queue if queue.private else _quorum_queue
        channel = await self._declare(channel, f"queue {address}", partial(kind, address))
        for key in queue.routing_keys:
            await channel.ask(channel.pika.queue_bind, queue=address, exchange=EXCHANGE, routing_key=key)
        channel.close()

    async def depth(self, connection: Connection, name: str) -> QueueDepth:
        """Look at a queue that is there. Raises pika's AMQPError."""
        channel = await connection.open_channel()
        said = (await channel.ask(channel.pika.queue_declare, queue=name, passive=True)).method
        channel.close()
        return QueueDepth(said.message_count, said.consumer_count)

    async def delete(self, connection: Connection, address: str) -> None:
        """Delete a queue with what is in it. Raises pika's AMQPError."""
        channel = await connection.open_channel()
        await channel.ask(channel.pika.queue_delete, queue=address)
        channel.close()

    async def _declare(self, channel: Channel, what: str, declaration: _Declaration) -> Channel:
        try:
            await declaration(channel)
        except ChannelClosedByBroker as error:
            if error.reply_code != PRECONDITION_FAILED:
                raise
            self._say_once(what, error.reply_text)
            return await channel.connection.open_channel()
        return channel

    def _say_once(self, what: str, difference: str) -> None:
        if what not in self._said:
            self._said.add(what)
            log.info("{what} is used as it is: {difference}", what=what, difference=difference)


def new_address(queue: Queue) -> str:
    """The real name that a queue gets on a new connection."""
    return f"{queue.name}.{secrets.token_hex(8)}" if queue.private else queue.name


def _exchange(channel: Channel) -> Deferred[Any]:
    return channel.ask(channel.pika.exchange_declare, exchange=EXCHANGE, exchange_type="direct", durable=True)


def _quorum_queue(address: str, channel: Channel) -> Deferred[Any]:
    arguments = {"x-queue-type": "quorum"}
    return channel.ask(channel.pika.queue_declare, queue=address, durable=True, arguments=arguments)


def _private_queue(address: str, channel: Channel) -> Deferred[Any]:
    return channel.ask(channel.pika.queue_declare, queue=address, exclusive=True)
