"""The connection, to servers of this process on the loopback interface."""

import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer

from twisted.trial.unittest import SynchronousTestCase

from cronq.commands.cli.connection import HttpRequest, send
from cronq.commands.cli.exits import Exit, Unreachable

START_ONE = "Start one with `twistd -n cronq`, or say where one is with --url or CRONQ_URL."
MAYBE_DONE = "It may have been done all the same: look before you ask again."


class Echo(BaseHTTPRequestHandler):
    """Answers with what was asked; `/moved` is somewhere else, `/no` is not there."""

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response({"/moved": 302, "/no": 404}.get(self.path, 200))
        self.send_header("X-Asked", f"{self.command} {self.path} {self.headers['X-Mark']}")
        if self.path == "/moved":
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_: object) -> None:
        pass


def say(text: bytes, client: socket.socket) -> None:
    client.sendall(text)


class ConnectionTests(SynchronousTestCase):
    """`send` and its errors."""

    def setUp(self) -> None:
        # Of the environment, only the proxy matters; there is none at this address.
        self.patch(os, "environ", {"http_proxy": "http://127.0.0.1:9/"})

    def serve_http(self) -> str:
        """The address of an HTTP server."""
        server = HTTPServer(("127.0.0.1", 0), Echo)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def serve(self, talk: Callable[[socket.socket], None]) -> str:
        """The address of a server that talks to one client in its own way."""
        listening = socket.create_server(("127.0.0.1", 0))
        listening.settimeout(60)

        def accept() -> None:
            client, _ = listening.accept()
            with client:
                client.recv(65_536)
                talk(client)

        thread = threading.Thread(target=accept)
        thread.start()
        self.addCleanup(listening.close)
        self.addCleanup(thread.join)
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    def assertFails(
        self, url: str, reason: str, hint: str, method: str = "GET", patience: float = 30
    ) -> None:
        request = HttpRequest(method, f"{url}/_status", {}, None if method == "GET" else b"{}")
        error = self.assertRaises(Unreachable, send, request, patience)
        self.assertEqual((str(error), error.hint), (f"cannot reach {url}/: {reason}", hint))
        self.assertEqual(error.exit_code, Exit.UNREACHABLE)

    def test_answers(self) -> None:
        """Method, headers and body arrive, and so does the answer."""
        url = self.serve_http()
        for method, body in (("GET", None), ("POST", b"\xff\0"), ("PUT", b"x" * 1_000_000)):
            found = send(HttpRequest(method, f"{url}/a%2Fb?c=d", {"X-Mark": "e"}, body))
            self.assertEqual((found.code, found.body), (200, body or b""))
            self.assertEqual(found.headers["x-asked"], f"{method} /a%2Fb?c=d e")

    def test_other_codes(self) -> None:
        """A refusal is an answer like any other, and a redirect is not followed."""
        url = self.serve_http()
        self.assertEqual(send(HttpRequest("GET", f"{url}/no", {})).code, 404)
        moved = send(HttpRequest("POST", f"{url}/moved", {}, b"1"))
        self.assertEqual((moved.code, moved.headers["location"], moved.body), (302, "/elsewhere", b"1"))

    def test_nobody_there(self) -> None:
        """When no server is there, it is said how to start one."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self.assertFails(url, "Connection refused", START_ONE)
        self.assertFails(url, "Connection refused", START_ONE, method="PUT")

    def test_unknown_host(self) -> None:
        """So it is for a host that nobody knows."""

        def unknown(*_: object) -> None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        self.patch(socket, "getaddrinfo", unknown)
        os.environ.clear()
        self.assertFails("http://no.example", "no host of that name is known", START_ONE)

    def test_silent(self) -> None:
        """A server that never answers is given up, and what it was to change may have been changed."""

        def listen_on(client: socket.socket) -> None:
            while client.recv(65_536):
                pass

        for method, hint in (("GET", START_ONE), ("POST", MAYBE_DONE)):
            url = self.serve(listen_on)
            self.assertFails(url, "no answer within 0.1 seconds", hint, method, patience=0.1)

    def test_hangs_up(self) -> None:
        """A server that ends without a word, or in the middle of it, has not answered."""
        check = "Check --url or CRONQ_URL: is that a cronq?"
        silence = "it hung up or does not speak HTTP (Remote end closed connection without response)"
        self.assertFails(self.serve(lambda _: None), silence, check)
        self.assertFails(self.serve(lambda _: None), silence, MAYBE_DONE, "PUT")
        for text, said in (
            (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2\r\n"),
            (
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
                "IncompleteRead(3 bytes read, 6 more expected)",
            ),
        ):
            url = self.serve(partial(say, text))
            self.assertFails(url, f"it hung up or does not speak HTTP ({said})", check)

    def test_tls(self) -> None:
        """A server that speaks no TLS is one line as well."""
        url = self.serve(partial(say, b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        url = url.replace("http:", "https:")
        error = self.assertRaises(Unreachable, send, HttpRequest("GET", f"{url}/", {}), 30)
        self.assertIn("SSL", str(error))
        self.assertEqual(error.hint, "Check --url or CRONQ_URL: is that a cronq?")
