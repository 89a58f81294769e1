"""The web as a service: it says where it listens, and answers what it has been asked before it ends."""

import sys
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from cronq.commands.connections import LAST_ANSWERS
from cronq.commands.stopping import StartRefused
from cronq.commands.web import WebService
from cronq.web.http.streams import Streams
from cronq.web.site import Web

GET = b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Connection(StringTransport):
    """A connection of a client that may be slow to fetch what is sent."""

    def __init__(self, web: "WebServiceTests", *, slow: bool = False) -> None:
        super().__init__(IPv4Address("TCP", "127.0.0.1", 40_000))  # type: ignore[no-untyped-call]
        self.slow = slow
        self.protocol = web.factory.buildProtocol(None)
        self.protocol.makeConnection(self)
        self.protocol.dataReceived(GET % b"x")

    def loseConnection(self) -> None:
        super().loseConnection()  # type: ignore[no-untyped-call]
        if not self.slow:
            self.fetched()

    def fetched(self) -> None:
        """The client has all, and the connection is closed."""
        self.protocol.connectionLost(Failure(ConnectionDone()))


class Answers(Resource):
    """Answers each request when a test says so."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.waiting: list[Request] = []

    def render(self, request: Request) -> int:
        self.waiting.append(request)
        return NOT_DONE_YET

    def answer(self) -> None:
        request = self.waiting.pop(0)
        request.write(b"answer")
        request.finish()


class WebServiceTests(SynchronousTestCase):
    """Stands for the endpoint as well."""

    address: Any = IPv4Address("TCP", "127.0.0.1", 5000)

    def setUp(self) -> None:
        self.clock = Clock()
        self.answers = Answers()
        where: Any = self
        web = Web(self.answers, (), Streams(self.clock))
        self.service = WebService("scripted", where, web, self.clock, at_once=True)
        self.refusal: Exception | None = None
        self.closed = Deferred[None]()

    def listen(self, factory: Any) -> Deferred[Any]:
        self.factory = factory
        return succeed(self) if self.refusal is None else fail(self.refusal)

    def getHost(self) -> Any:
        return self.address

    def stopListening(self) -> Deferred[None]:
        return self.closed

    def test_says_where(self) -> None:
        """The line can be opened with a click, whatever kind of address it is."""
        for address, shown in (
            (self.address, "http://127.0.0.1:5000/"),
            (IPv6Address("TCP", "::1", 80), "http://[::1]:80/"),
            (UNIXAddress("/run/cronq/web.sock"), "UNIXAddress('/run/cronq/web.sock')"),
        ):
            self.address = address
            with capturedLogs() as said:
                self.service.startService()
            self.assertEqual([formatEvent(event) for event in said], [f"listening on {shown}"])

    def test_cannot_listen(self) -> None:
        """A web that cannot listen ends the program."""
        self.patch(sys, "excepthook", sys.excepthook)
        self.refusal = CannotListenError("127.0.0.1", 5000, OSError("in use"))
        with capturedLogs() as said:
            self.assertRaises(StartRefused, self.service.startService)
        self.assertIn("5000: in use", formatEvent(said[0]))

    def test_idle(self) -> None:
        """With nobody there, it ends as soon as the port is closed."""
        self.service.startService()
        ended = self.service.stopService()
        self.assertNoResult(ended)
        self.closed.callback(None)
        self.successResultOf(ended)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_request_in_hand(self) -> None:
        """Who has asked is answered, and the connection is closed only then."""
        self.service.startService()
        client = Connection(self)
        ended = self.service.stopService()
        self.closed.callback(None)
        self.assertNoResult(ended)
        self.assertFalse(client.disconnecting)
        self.answers.answer()
        self.successResultOf(ended)
        self.assertIn(b"answer", client.value())

    def test_idle_connections(self) -> None:
        """Connections that are kept open without a request are closed."""
        self.service.startService()
        client = Connection(self)
        self.answers.answer()
        self.closed.callback(None)
        self.successResultOf(self.service.stopService())
        self.assertTrue(client.disconnecting)

    def test_client_that_left(self) -> None:
        """Who has gone is not waited for."""
        self.service.startService()
        client = Connection(self)
        ended = self.service.stopService()
        self.closed.callback(None)
        client.fetched()
        self.successResultOf(ended)

    def test_slow_client(self) -> None:
        """An answer that is not fetched holds up the end for some seconds only."""
        self.service.startService()
        client = Connection(self, slow=True)
        self.answers.answer()
        self.closed.callback(None)
        ended = self.service.stopService()
        self.assertNoResult(ended)
        self.clock.advance(LAST_ANSWERS)
        self.successResultOf(ended)
        client.fetched()

    def test_slow_client_in_time(self) -> None:
        """One that fetches it in time leaves no timer behind."""
        self.service.startService()
        client = Connection(self, slow=True)
        self.answers.answer()
        self.closed.callback(None)
        ended = self.service.stopService()
        client.fetched()
        self.successResultOf(ended)
