"""pika's Twisted connection, where it does not suit us: how it ends, and what it says of that.

pika gives the same `AMQPConnectionError: (1,)` for a refused login and for an unknown vhost, and closes a
connection to a dead peer so politely that it never ends.
"""

from typing import Any

from pika import ConnectionParameters
from pika.adapters.twisted_connection import TwistedProtocolConnection
from pika.exceptions import IncompatibleProtocolError
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure


class Wire(TwistedProtocolConnection):  # type: ignore[misc]  # pika comes without types
    """AMQP 0-9-1 over one Twisted transport, which belongs to someone else and is lost only once."""

    def __init__(self, parameters: ConnectionParameters, clock: IReactorTime) -> None:
        super().__init__(parameters, custom_reactor=clock)
        # What happens is told by methods; this Deferred of pika's would only be an unhandled error.
        self.ready.addErrback(lambda _: None)

    @property
    def is_ready(self) -> bool:
        """True from the login until either side wants the end."""
        return bool(self._impl.is_open)

    @property
    def frame_max(self) -> int:
        """The most bytes of a frame, as both sides have agreed."""
        return int(self._impl.params.frame_max)

    def begin(self, transport: Any) -> None:
        """Send the protocol header."""
        self._line = _Line(transport)
        self._impl.connection_made(self._line)

    def send(self, frames: bytes) -> None:
        """Send frames that pika does not know of, on a channel that is open."""
        self._line.write(frames)

    def receive(self, data: bytes) -> None:
        """Take in what the broker has sent; raises whatever decoding something else than AMQP raises."""
        self._impl.data_received(data)

    def part(self) -> None:
        """Tell the broker that this is the end."""
        self._impl.close()

    def cause_of(self, error: BaseException) -> BaseException:
        """What ended the connection when the transport says `error`: the broker's own words come first."""
        wire = self._impl
        if wire._error is not None:
            return wire._error  # type: ignore[no-any-return]
        if wire.connection_state == wire.CONNECTION_PROTOCOL and isinstance(error, ConnectionClosed):
            return IncompatibleProtocolError()  # type: ignore[no-any-return]
        return error

    def end(self, error: Exception) -> None:
        """The transport is lost: end all channels with this error."""
        super().connectionLost(Failure(error))


class _Line:
    """A transport that is dropped when pika lets it go: both sides have agreed to part, or one is gone."""

    def __init__(self, transport: Any) -> None:
        self.write = transport.write
        self.loseConnection = transport.abortConnection
