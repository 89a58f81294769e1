"""What people and programs are told when something does not work."""

from typing import Any
from unittest import mock

from twisted.internet.address import UNIXAddress
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel, capturedLogs
from twisted.web import server

from cronq.domain.errors import DatabaseUnavailable, NotStorable
from cronq.web.http.bodies import BODY_LIMIT, FORM_LIMIT, PATIENCE
from cronq.web.site import make_site, make_web
from tests.web.seed import add_category, add_job
from tests.web.support import WebTestCase


class DatabaseTroubleTests(WebTestCase):
    def fail_with(self, error: Exception) -> None:
        async def fail(*_: Any) -> Any:
            raise error

        for name in ("read", "transact"):
            self.patch(self.database, name, fail)

    def test_database_away(self) -> None:
        """When the database does not answer, all are told to come back, and nobody what its address is."""
        self.fail_with(DatabaseUnavailable("mysql://root:***@db.internal: Connection refused"))
        document: dict[str, Any] = {"jobs": []}
        for answer in (
            self.get("/_status"),
            self.get("/api/jobs"),
            self.get("/api/audit"),
            self.ask("PUT", "/api/category/c", json=document),
            self.post("/api/jobs/1/run"),
        ):
            self.assertEqual((answer.code, answer.header("Retry-After")), (503, "5"))
            self.assertIn("does not answer", answer.json["error"]["message"])
            self.assertNotIn("db.internal", answer.text)
        for path in ("/", "/job/1", "/failures", "/audit", f"/run/{'0' * 32}"):
            answer = self.get(path)
            self.assertEqual((answer.code, answer.header("Retry-After")), (503, "5"))
            self.assertIn("does not answer", answer.page.text)

    def test_tables_of_another_version(self) -> None:
        """As long as no injector has made all tables, the web says that it cannot work."""
        self.write(lambda connection: connection.exec_driver_sql("DELETE FROM alembic_version"))
        self.assertEqual(self.get("/_status").code, 503)

    def test_database_away_in_the_log(self) -> None:
        """The log says in one line what the database said."""
        self.fail_with(DatabaseUnavailable("db.internal: Connection refused"))
        with capturedLogs() as events:
            self.get("/failures")
        (event,) = [each for each in events if each.get("log_namespace") == "cronq.web.http.explaining"]
        self.assertEqual(event["log_level"], LogLevel.warn)
        line = event["log_format"].format(**event)
        self.assertEqual(line, "GET /failures: db.internal: Connection refused")

    def test_refused_by_the_database(self) -> None:
        """What the database refuses to store is a conflict, not a mistake of ours."""
        self.fail_with(NotStorable("db: Incorrect string value"))
        self.assertEqual(self.ask("PUT", "/api/category/c", json={"jobs": []}).code, 409)

    def test_mistake(self) -> None:
        """A mistake of ours is one traceback in the log, and none in the answer."""
        self.fail_with(ZeroDivisionError("secret detail"))
        for path in ("/", "/api/jobs"):
            answer = self.get(path)
            self.assertEqual(answer.code, 500)
            self.assertIn("cronq made a mistake", answer.text)
            self.assertNotIn("secret detail", answer.text)
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class WireTests(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.connect()

    def connect(self) -> None:
        """A fresh connection."""
        self.transport = StringTransport(hostAddress=UNIXAddress(b"/run/cronq/web"))
        site = make_site(make_web(self.database, self.settings, self.clock).resource)
        self.channel = site.buildProtocol(None)
        self.channel.makeConnection(self.transport)
        self.addCleanup(self.channel.connectionLost, mock.Mock())

    def send(self, head: str, chunk: bytes = b"", times: int = 0) -> bytes:
        """Send a request with a body in pieces, and give what was answered up to then."""
        self.channel.dataReceived(f"{head}\r\n\r\n".encode())
        for _ in range(times):
            if self.transport.disconnecting:
                break
            self.channel.dataReceived(chunk)
        value: bytes = self.transport.value()
        return value

    def test_without_host(self) -> None:
        """The check of a load balancer that names no host is answered, on a UNIX socket as well."""
        answer = self.send("GET /_status HTTP/1.0")
        self.assertTrue(answer.startswith(b"HTTP/1.0 200 "), answer[:100])

    def test_stub(self) -> None:
        """The limit holds for whoever serves the resource."""
        answer = self.ask("PUT", "/api/category/c", data=b" " * (BODY_LIMIT + 1))
        self.assertEqual(answer.code, 413)
        self.assertEqual(answer.json, {"error": {"message": "The body has more than 16,777,216 bytes."}})

    def test_at_the_limit(self) -> None:
        """A body of just the limit is read."""
        padding = b" " * (BODY_LIMIT - 12)
        answer = self.ask("PUT", "/api/category/c", data=b'{"jobs": []}' + padding)
        self.assertEqual(answer.code, 200)

    def test_not_kept(self) -> None:
        """Of a body that is too large not more than the limit and a piece is held, and it is answered."""
        chunk = b" " * 1024 * 1024
        head = f"PUT /api/category/c HTTP/1.1\r\nContent-Length: {40 * len(chunk)}"
        held = []
        keep: Any = server.Request.handleContentChunk

        def count(request: Any, data: bytes) -> None:
            held.append(len(data))
            keep(request, data)

        self.patch(server.Request, "handleContentChunk", count)
        answer = self.send(head, chunk, 40)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:100])
        self.assertLessEqual(sum(held), BODY_LIMIT + len(chunk))

    def test_form(self) -> None:
        """A form that is too large is not taken apart."""
        chunk = b"a=1&" * 256 * 1024
        head = "POST /job/1 HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x"
        answer = self.send(f"{head}\r\nContent-Length: {20 * len(chunk)}", chunk, 20)
        self.assertTrue(answer.startswith(b"HTTP/1.1 413 "), answer[:100])

    def test_many_fields(self) -> None:
        """A form that is larger than any of ours is not taken apart, which would take all else's time."""
        self.write(add_job, self.write(add_category, "c"), "j")
        for size, code in ((FORM_LIMIT - 100, 303), (FORM_LIMIT, 400)):
            self.connect()
            body = b"run_now=1" + b"&a=1" * (size // 4)
            head = (
                "POST /job/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded"
            )
            answer = self.send(f"{head}\r\nContent-Length: {len(body)}", body, 1)
            self.assertTrue(answer.startswith(f"HTTP/1.1 {code} ".encode()), answer[:100])

    def test_two_hosts(self) -> None:
        """Which of two would count is not to be guessed."""
        answer = self.send("GET /api/jobs HTTP/1.1\r\nHost: evil.example\r\nHost: localhost")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 Bad Request"), answer[:100])

    def test_bytes(self) -> None:
        """Headers that are no text are refused, or passed over, and never a mistake of cronq."""
        for name in (
            "Authorization",
            "Cookie",
            "Origin",
            "Referer",
            "Sec-Fetch-Site",
            "User-Agent",
            "Content-Type",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Remote-User",
            "Host",
        ):
            for value in (b"\xff\xfe", b"Bearer \xff", b"cronq=\xff", b"", b"Basic \xc3\xa9", b"\xe2\x82"):
                for method in (b"GET", b"POST"):
                    self.connect()
                    host = b"" if name == "Host" else b"Host: localhost\r\n"
                    head = method + b" /job/1 HTTP/1.1\r\n" + host + name.encode() + b": " + value
                    self.channel.dataReceived(head + b"\r\nContent-Length: 0\r\n\r\n")
                    answer = self.transport.value()
                    self.assertRegex(answer, rb"^HTTP/1.1 [234]\d\d ", (name, value))

    def test_without_end(self) -> None:
        """A client that never stops sending is cut off."""
        size = 1024 * 1024
        chunk = b"100000\r\n" + b" " * size + b"\r\n"
        head = "PUT /api/category/c HTTP/1.1\r\nTransfer-Encoding: chunked"
        answer = self.send(head, chunk, 2 * (BODY_LIMIT + PATIENCE) // size)
        self.assertEqual(answer.split(b"\r\n")[0], b"HTTP/1.1 413 Content Too Large")
        self.assertTrue(self.transport.disconnecting)

    def test_no_access_log(self) -> None:
        """Requests that go well are not worth a line."""
        with capturedLogs() as events:
            answer = self.send("GET /_status HTTP/1.1\r\nHost: a")
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 "), answer[:100])
        self.assertEqual(events, [])
