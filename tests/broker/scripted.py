"""A server that speaks just enough AMQP 0-9-1 to do, when the test wants it, what a real one does rarely."""

from collections.abc import Callable
from typing import Any

from pika import BasicProperties, frame, spec
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IProtocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

#: What the server answers to which request, unless it is told to be silent.
_ANSWERS: dict[type, Callable[[Any], Any]] = {
    spec.Connection.StartOk: lambda _: spec.Connection.Tune(channel_max=2047, frame_max=131072, heartbeat=60),
    spec.Connection.Open: lambda _: spec.Connection.OpenOk(),
    spec.Connection.Close: lambda _: spec.Connection.CloseOk(),
    spec.Channel.Open: lambda _: spec.Channel.OpenOk(),
    spec.Channel.Close: lambda _: spec.Channel.CloseOk(),
    spec.Confirm.Select: lambda _: spec.Confirm.SelectOk(),
    spec.Exchange.Declare: lambda _: spec.Exchange.DeclareOk(),
    spec.Queue.Declare: lambda asked: spec.Queue.DeclareOk(asked.queue, 0, 0),
    spec.Queue.Bind: lambda _: spec.Queue.BindOk(),
    spec.Basic.Qos: lambda _: spec.Basic.QosOk(),
    spec.Basic.Consume: lambda asked: spec.Basic.ConsumeOk(asked.consumer_tag),
    spec.Basic.Cancel: lambda asked: spec.Basic.CancelOk(asked.consumer_tag),
}

_START = spec.Connection.Start(
    server_properties={
        "capabilities": {"publisher_confirms": True, "basic.nack": True, "consumer_cancel_notify": True}
    },
    mechanisms="PLAIN",
)


class ScriptedServer:
    """The other end of a client's transport, and that transport itself. It answers in the next turn."""

    def __init__(self, client: IProtocol, clock: Clock) -> None:
        self.client: Any = client
        self.clock = clock
        #: What the client has asked for, in order.
        self.received: list[Any] = []
        #: True: it takes everything in and answers nothing.
        self.silent = False
        self.connected = True
        #: What the client has set on the transport.
        self.options: dict[str, bool] = {}
        self._unread = b""
        self._next_turn: IDelayedCall | None = None

    def accept(self) -> None:
        """The TCP connection is there."""
        self.client.makeConnection(self)
        self.clock.advance(0)

    def send(self, method: Any, channel: int = 0) -> None:
        self.client.dataReceived(frame.Method(channel, method).marshal())

    def send_content(self, method: Any, properties: BasicProperties, body: bytes) -> None:
        """A message, on the first channel."""
        for each in (frame.Method(1, method), frame.Header(1, len(body), properties), frame.Body(1, body)):
            self.client.dataReceived(each.marshal())

    def asked_for(self, kind: type) -> list[Any]:
        """The requests of a kind so far."""
        self.clock.advance(0)
        return [each for each in self.received if isinstance(each, kind)]

    def lose(self, error: Exception | None = None) -> None:
        """The TCP connection ends."""
        self.connected = False
        if self._next_turn is not None:
            self._next_turn.cancel()
        self.client.connectionLost(Failure(error or ConnectionDone()))

    def write(self, data: bytes) -> None:
        self._unread += data
        self._next_turn = self._next_turn or self.clock.callLater(0, self._read)

    def abortConnection(self) -> None:
        if self.connected:
            self.lose(ConnectionAborted())

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.options["no delay"] = enabled

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.options["keepalive"] = enabled

    def getHandle(self) -> None: ...

    def _read(self) -> None:
        self._next_turn = None
        while self._unread:
            length, value = frame.decode_frame(self._unread)
            self._unread = self._unread[length:]
            if isinstance(value, frame.ProtocolHeader):
                self._answer(_START, 0)
            else:
                self._take_in(value)

    def _take_in(self, value: Any) -> None:
        asked = getattr(value, "method", value)
        self.received.append(asked)
        if type(asked) in _ANSWERS:
            self._answer(_ANSWERS[type(asked)](asked), value.channel_number)

    def _answer(self, method: Any, channel: int) -> None:
        if not self.silent and self.connected:
            self.send(method, channel)
