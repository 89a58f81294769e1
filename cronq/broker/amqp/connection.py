"""One connection to RabbitMQ with its channels, from the first byte to the end, which always has a cause."""

import math
import struct
from collections.abc import Callable
from typing import Any

from pika import ConnectionParameters, PlainCredentials
from pika.exceptions import AMQPError, IncompatibleProtocolError
from twisted.internet import defer
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.broker.addresses import Address
from cronq.broker.amqp.causes import explain
from cronq.broker.amqp.endpoints import endpoint_for, set_socket_options
from cronq.broker.amqp.wire import Wire
from cronq.broker.waiting import Waiters
from cronq.domain.errors import BrokerUnavailable

log = Logger()

#: Seconds in which the broker should agree to part.
_PARTING = 5.0
_LEFT_TO_THE_BROKER = ("heartbeat", "blocked_connection_timeout", "frame_max", "channel_max", "locale")


async def connect(reactor: Any, address: Address, client_name: str, patience: float) -> "Connection":
    """Connect and log in. `patience` bounds later requests, in seconds. Raises BrokerUnavailable."""
    connection = Connection(reactor, address, client_name, patience)
    try:
        await endpoint_for(reactor, address).connect(_factory(connection))
        await connection.opened.addTimeout(address.stack_timeout, reactor)
    except (BrokerUnavailable, defer.CancelledError):
        raise
    except defer.TimeoutError as error:
        raise connection.unavailable(f"no answer within {address.stack_timeout:g} s") from error
    except Exception as error:
        raise connection.unavailable(explain(error, address)) from error
    finally:
        if not connection.is_open:
            await connection.close()
    return connection


class Connection(Wire):
    """A connection and the channels on it."""

    transport: Any = None

    def __init__(self, reactor: Any, address: Address, client_name: str, patience: float) -> None:
        super().__init__(_parameters(address, client_name), reactor)
        self.address = address
        self.clock = reactor
        self.patience = patience
        #: Fires when the broker has let us in, fails with BrokerUnavailable when it does not.
        self.opened: Deferred[None] = Deferred()
        #: Until when the broker took nothing from us because its memory or disk was short (`clock`, seconds).
        self.blocked_until = 0.0
        #: What ends the connection, in a few words; set before anyone hears of the end, empty until then.
        self.cause = ""
        self._ended = False
        self._lost: Waiters[None] = Waiters()
        self._impl.add_on_connection_blocked_callback(self._broker_blocked)
        self._impl.add_on_connection_unblocked_callback(self._broker_unblocked)

    @property
    def is_open(self) -> bool:
        """True from the login until either side wants the end."""
        return self.is_ready and not self.cause

    def unavailable(self, cause: str) -> BrokerUnavailable:
        """The error that says where and why."""
        return BrokerUnavailable(f"no connection to the broker at {self.address}: {cause}")

    async def open_channel(self) -> "Channel":
        """A new channel. Raises pika's AMQPError."""
        channel = Channel(self)
        await channel.open(self._impl.channel)
        return channel

    def when_lost(self) -> Deferred[None]:
        """Fires when the connection has ended; `cause` says why."""
        return succeed(None) if self._ended else self._lost.wait()

    def abort(self, cause: str) -> None:
        """Drop the connection at once, for a cause found on this side."""
        if self.transport is not None and not self._ended:
            self.cause = self.cause or cause
            self.transport.abortConnection()

    async def close(self) -> None:
        """Part in good order from a broker that answers; returns when the transport is gone."""
        if self.transport is None or self._ended:
            return
        lost = self.when_lost()
        if self.is_open:
            self.part()
        else:
            self.transport.abortConnection()
        overdue = self.clock.callLater(_PARTING, self.transport.abortConnection)
        await lost
        if overdue.active():
            overdue.cancel()

    def makeConnection(self, transport: Any) -> None:
        """See `Protocol`."""
        self.transport = transport
        try:
            set_socket_options(self.transport, self.address)
        except OSError as error:
            self.abort(f"tcp_options: {error.strerror}")
        else:
            self.begin(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """See `Protocol`."""
        try:
            self.receive(data)
        except (AMQPError, LookupError, ValueError, struct.error):
            self.abort(explain(IncompatibleProtocolError(), self.address))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """See `Protocol`."""
        error = self.cause_of(reason.value or ConnectionDone())
        self.cause = self.cause or explain(error, self.address)
        self._ended = True
        self.end(self.unavailable(self.cause))
        if not self.opened.called:
            self.opened.errback(self.unavailable(self.cause))
        self._lost.tell(None)

    def connectionReady(self) -> "Connection":
        """See `TwistedProtocolConnection`: the broker has let us in."""
        if not self.opened.called:
            self.opened.callback(None)
        return self

    def _broker_blocked(self, _wire: object, frame: Any) -> None:
        self.blocked_until = math.inf
        log.warn(
            "the broker at {where} takes no messages now: {why}", where=self.address, why=frame.method.reason
        )

    def _broker_unblocked(self, _wire: object, _frame: object) -> None:
        self.blocked_until = self.clock.seconds()
        log.info("the broker at {where} takes messages again", where=self.address)


class Channel:
    """A conversation on a connection: a request that the broker objects to ends it, and no other."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        #: Fires with the error that ended the channel.
        self.ended: Deferred[Exception] = Deferred()
        #: pika's own channel, for what has no answer.
        self.pika: Any = None
        #: By which its frames are told from those of other channels.
        self.number = 0
        self._unanswered: set[Deferred[Any]] = set()

    @property
    def is_open(self) -> bool:
        """False as soon as either side asks for the end."""
        return bool(self.pika.is_open)

    def open(self, create: Callable[..., Any]) -> Deferred[Any]:
        """Open it with the function of pika that makes channels."""

        def opening(callback: Callable[[object], None]) -> None:
            self.pika = create(on_open_callback=callback)
            self.number = self.pika.channel_number
            self.pika.add_on_close_callback(self._end)

        return self.ask(opening)

    def ask(self, request: Callable[..., Any], **arguments: object) -> Deferred[Any]:
        """Call a method of pika's channel that the broker answers, and wait for the answer.

        Fails with pika's AMQPError when that ends the channel, and with BrokerUnavailable when the connection
        ends. A broker that does not answer in time is left.
        """
        answer: Deferred[Any] = Deferred()
        try:
            request(callback=answer.callback, **arguments)
        except AMQPError:
            return fail()
        self._unanswered.add(answer)
        answer.addTimeout(self.connection.patience, self.connection.clock, self._give_up)
        return answer.addBoth(self._answered, answer)

    def close(self) -> None:
        """Ask for the end of the channel; the broker puts back what it delivered here and is not accepted."""
        if self.is_open:
            self.pika.close()

    def _answered(self, result: Any, answer: Deferred[Any]) -> Any:
        self._unanswered.discard(answer)
        return result

    def _give_up(self, _cancelled: object, seconds: float) -> Failure:
        cause = f"no answer for {seconds:g} s"
        self.connection.abort(cause)
        return Failure(self.connection.unavailable(cause))

    def _end(self, _channel: object, error: Exception) -> None:
        unanswered, self._unanswered = self._unanswered, set()
        for answer in unanswered:
            answer.errback(error)
        self.ended.callback(error)


def _factory(connection: Connection) -> Any:
    factory = Factory.forProtocol(lambda: connection)
    factory.noisy = False
    return factory


def _parameters(address: Address, client_name: str) -> Any:
    chosen = {
        name: getattr(address, name) for name in _LEFT_TO_THE_BROKER if getattr(address, name) is not None
    }
    return ConnectionParameters(
        virtual_host=address.virtual_host,
        credentials=PlainCredentials(address.user, address.password),
        client_properties={"connection_name": client_name, **address.client_properties},
        **chosen,
    )
