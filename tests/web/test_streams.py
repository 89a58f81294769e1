"""Answers that go on, read as a browser reads them."""

from collections.abc import AsyncGenerator
from typing import Any
from unittest import mock

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Request as ServerRequest

from cronq.domain.access import Caller, Role
from cronq.domain.errors import DatabaseUnavailable
from cronq.web.http.exchange import STRANGER, Request, Response, html_response, read_request
from cronq.web.http.routing import Route, klein_resource
from cronq.web.http.streams import KEEP_ALIVE, LONGEST, Event, EventStream, Streams
from cronq.web.site import make_site


class StreamTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.streams = Streams(self.clock)
        self.coming: Deferred[Event | None] = Deferred()
        self.closed = False
        self.asked = 0
        route = Route("/s", self.answer, needs=Role.VIEWER)
        resource = klein_resource([route], self.admit, self.recognise, self.explain, self.streams)
        self.transport = StringTransport()
        self.channel = make_site(resource).buildProtocol(None)
        self.channel.makeConnection(self.transport)
        self.addCleanup(self.channel.connectionLost, mock.Mock())

    async def admit(self, raw: ServerRequest, _route: Route) -> Request:
        return read_request(raw)

    async def recognise(self, _raw: ServerRequest, _failure: object) -> Caller:
        return STRANGER

    def explain(self, _request: Request, _failure: object) -> Response:
        return html_response("explained", 500)

    async def answer(self, _request: Request) -> EventStream:
        return EventStream(self.events())

    async def events(self) -> AsyncGenerator[Event]:
        try:
            while True:
                self.asked += 1
                event = await self.coming
                if event is None:
                    return
                yield event
        finally:
            self.closed = True

    def say(self, event: Event | None) -> None:
        coming, self.coming = self.coming, Deferred()
        coming.callback(event)

    def ask(self, method: str = "GET") -> None:
        self.channel.dataReceived(f"{method} /s HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def read(self) -> str:
        """What has come since the last time, without the framing of HTTP."""
        found = self.transport.value().decode()
        self.transport.clear()
        lines = found.partition("\r\n\r\n")[2] if found.startswith("HTTP") else found
        return "".join(part for part in lines.split("\r\n")[1::2])

    def test_events(self) -> None:
        """Events come as they are made, whatever is in them, and the answer ends with them."""
        self.ask()
        self.assertIn("Content-Type: text/event-stream; charset=utf-8", self.transport.value().decode())
        self.read()
        self.say(Event("one\ntwo"))
        self.assertEqual(self.read(), "data: one\ndata: two\n\n")
        self.say(Event("", name="end", id="7"))
        self.assertEqual(self.read(), "event: end\nid: 7\ndata: \n\n")
        self.say(None)
        self.assertTrue(self.closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(self.transport.value().endswith(b"0\r\n\r\n"))

    def test_keep_alive(self) -> None:
        """A comment comes at once, so that a browser knows that it is heard, and now and then."""
        self.ask()
        self.assertEqual(self.read(), ":\n\n")
        self.clock.advance(KEEP_ALIVE)
        self.assertEqual(self.transport.value().count(b":\n\n"), 1)

    def test_reader_goes(self) -> None:
        """What makes the events is closed as soon as nobody listens."""
        self.ask()
        self.channel.connectionLost(mock.Mock())
        self.assertTrue(self.closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow_reader(self) -> None:
        """Nothing is made for a reader that does not read."""
        self.ask()
        self.read()
        connection: Any = self.transport.producer
        connection.pauseProducing()
        self.say(Event("a"))
        self.clock.advance(KEEP_ALIVE)
        self.assertEqual((self.read(), self.asked), ("data: a\n\n", 1))
        connection.resumeProducing()
        self.say(Event("b"))
        self.assertEqual((self.read(), self.asked), ("data: b\n\n", 3))

    def test_long(self) -> None:
        """It ends after a while, so that whoever may not listen any more does not."""
        self.ask()
        for _ in range(LONGEST // KEEP_ALIVE):
            self.clock.advance(KEEP_ALIVE)
        self.assertTrue(self.closed)
        self.assertTrue(self.transport.value().endswith(b"0\r\n\r\n"))

    def test_stopped(self) -> None:
        """A web that stops ends what is open, and opens nothing any more."""
        self.ask()
        self.streams.end_all()
        self.assertTrue(self.closed)
        self.transport.clear()
        self.ask()
        self.assertTrue(self.transport.value().endswith(b"0\r\n\r\n"))

    def test_head(self) -> None:
        """Whoever asks for the head alone is not kept waiting."""
        self.ask("HEAD")
        self.assertTrue(self.transport.value().startswith(b"HTTP/1.1 200 "))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failures(self) -> None:
        """An outage ends it with a line in the log, a mistake with its traceback."""
        for error, count in ((DatabaseUnavailable("away"), 0), (ZeroDivisionError(), 1)):
            self.coming = Deferred()
            self.ask()
            self.coming.errback(error)
            self.assertTrue(self.transport.value().endswith(b"0\r\n\r\n"))
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), count)
