"""What pika's protocol code needs of the world: a clock and a transport.

pika's own Twisted adapter is not used: importing it installs a reactor, a refused login and an unknown vhost
come out of it as the same `AMQPConnectionError: (1,)`, it gives a returned message to the wrong Deferred, and
pika 2 drops it. The methods here are the door that pika leaves open for adapters.
"""

from collections.abc import Callable
from typing import Any

from pika.connection import Connection
from pika.exceptions import IncompatibleProtocolError
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Wire(Connection):  # type: ignore[misc]  # pika comes without types
    """AMQP 0-9-1 over one Twisted transport, which belongs to someone else and is lost only once."""

    def __init__(self, parameters: Any, clock: IReactorTime, on_open: Callable[[object], None]) -> None:
        self._clock = clock
        self._transport: Any = None
        # The owner of the transport knows errors first; without these two pika would raise them.
        super().__init__(parameters, on_open, _ignore, _ignore, internal_connection_workflow=False)

    def begin(self, transport: Any) -> None:
        """Send the protocol header."""
        self._transport = transport
        self._on_stream_connected()

    def receive(self, data: bytes) -> None:
        """Take in what the broker has sent; raises whatever decoding something else than AMQP raises."""
        self._on_data_available(data)

    def cause(self, error: BaseException) -> BaseException:
        """What ended the connection when the transport says `error`: the broker's own words come first."""
        if self._error is not None:
            return self._error  # type: ignore[no-any-return]
        if self.connection_state == self.CONNECTION_PROTOCOL and isinstance(error, ConnectionClosed):
            return IncompatibleProtocolError()  # type: ignore[no-any-return]
        return error

    def end(self, error: Exception) -> None:
        """The transport is lost: end all channels with this error."""
        self._transport = None
        self._on_stream_terminated(error)

    def _adapter_call_later(self, delay: float, callback: Callable[[], None]) -> IDelayedCall:
        return self._clock.callLater(delay, callback)

    def _adapter_remove_timeout(self, timeout_id: IDelayedCall) -> None:
        if timeout_id.active():
            timeout_id.cancel()

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _adapter_disconnect_stream(self) -> None:
        # Both sides have agreed to part, or the other one is gone: nothing that was sent is waited for.
        if self._transport is not None:
            self._transport.abortConnection()

    def _adapter_add_callback_threadsafe(self, callback: Callable[[], None]) -> None:
        raise NotImplementedError("only the reactor's thread speaks to the broker")

    def _adapter_connect_stream(self) -> None:
        raise NotImplementedError("the transport comes connected")


def _ignore(*_: object) -> None:
    pass
