"""Answers that go on: server-sent events (WHATWG HTML, section 9.2)."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.web.server import Request as ServerRequest
from zope.interface import implementer

from cronq.domain.errors import CronqError
from cronq.web.http.exchange import TEXT_TYPE

#: A comment so often keeps proxies from giving up a silent connection; seconds.
KEEP_ALIVE = 15
#: So long is an answer at most, in seconds: then the browser asks again, and shows again who it is.
LONGEST = 600

#: nginx would collect what is sent.
_AT_ONCE = {"X-Accel-Buffering": "no"}

_log = Logger()


@dataclass(frozen=True, slots=True)
class Event:
    """What is told a browser: `name` says of which kind it is, and `id` comes back as `Last-Event-ID`."""

    data: str
    name: str = ""
    id: str = ""

    def encode(self) -> bytes:
        """The event as it is sent; neither name nor id may have several lines."""
        fields = [("event", self.name), ("id", self.id)] if self.name else [("id", self.id)]
        lines = [f"{field}: {value}" for field, value in fields if value]
        lines += [f"data: {line}" for line in self.data.split("\n")]
        return ("\n".join(lines) + "\n\n").encode()


@dataclass(frozen=True, slots=True)
class EventStream:
    """A response of events, as they come. What makes them is closed when nobody listens any more."""

    events: AsyncGenerator[Event]
    headers: ClassVar[Mapping[str, str]] = {"Content-Type": "text/event-stream; charset=utf-8", **_AT_ONCE}
    keep_alive: ClassVar[bytes] = b":\n\n"


@dataclass(frozen=True, slots=True)
class TextStream:
    """A response of plain text, as it comes."""

    events: AsyncGenerator[str]
    headers: ClassVar[Mapping[str, str]] = {"Content-Type": TEXT_TYPE, **_AT_ONCE}
    #: There is nothing that a reader would not see.
    keep_alive: ClassVar[bytes] = b""


Stream = EventStream | TextStream


class Streams:
    """Sends streams, and ends those that are open when the web stops."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._open: set[Deferred[None]] = set()
        self._ended = False

    async def send(self, raw: ServerRequest, stream: Stream) -> None:
        """Write a stream until it ends, its reader has gone, or it was open for long enough."""
        for name, value in stream.headers.items():
            raw.setHeader(name, value)
        if raw.method == b"HEAD" or self._ended:
            await stream.events.aclose()
            return
        pumping = Deferred.fromCoroutine(_Pump(raw, self._clock).pump(stream))
        self._open.add(pumping)
        limit = self._clock.callLater(LONGEST, pumping.cancel)
        try:
            await pumping
        except CancelledError:
            pass  # nobody is left to be told
        except CronqError as error:
            _log.warn("{path}: the stream ends: {error}", path=raw.path.decode("latin-1"), error=error)
        except Exception:
            # The answer has begun, so that it cannot become another one.
            _log.failure("{path}: the stream failed", path=raw.path.decode("latin-1"))
        finally:
            self._open.discard(pumping)
            if limit.active():
                limit.cancel()

    def end_all(self) -> None:
        """End what is open, and whatever would be opened from now on."""
        self._ended = True
        for pumping in list(self._open):
            pumping.cancel()


@implementer(IPushProducer)
class _Pump:
    """Writes no faster than the reader reads."""

    def __init__(self, raw: ServerRequest, clock: IReactorTime) -> None:
        self._raw = raw
        self._keeping_alive = LoopingCall(self._keep_alive)
        self._keeping_alive.clock = clock
        self._paused: Deferred[None] | None = None

    async def pump(self, stream: Stream) -> None:
        """Write all of them."""
        self._raw.registerProducer(self, True)
        try:
            # Even an empty one sends the headers: a reader knows then that the answer has begun.
            self._raw.write(stream.keep_alive)
            if stream.keep_alive:
                self._keeping_alive.start(KEEP_ALIVE, now=False)
            async for event in stream.events:
                self._raw.write(event.encode())
                if self._paused is not None:
                    await self._paused
        finally:
            if self._keeping_alive.running:
                self._keeping_alive.stop()
            await stream.events.aclose()
            if self._raw.channel is not None:  # else the connection is lost, and all is undone
                self._raw.unregisterProducer()

    def _keep_alive(self) -> None:
        if self._paused is None:
            self._raw.write(EventStream.keep_alive)

    def pauseProducing(self) -> None:
        """Its reader does not keep up."""
        if self._paused is None:
            self._paused = Deferred()

    def resumeProducing(self) -> None:
        """Its reader has read."""
        if self._paused is not None:
            resumed, self._paused = self._paused, None
            resumed.callback(None)

    def stopProducing(self) -> None:
        """Its reader has gone: whoever serves the request cancels what it waits for."""
