"""Who comes in, with real daemons: on an address that others reach, and behind a UNIX socket."""

import json
import socket
from http.client import HTTPConnection
from urllib.parse import urlsplit

from tests.integration.command_line import CommandLineCase
from tests.integration.installation import job
from tests.servers import Daemon

PASSWORD = "correct horse battery"


class SocketConnection(HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)


def ask(connection: HTTPConnection, path: str, headers: dict[str, str]) -> int:
    """The code with which a web answers."""
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


class AccessTests(CommandLineCase):
    def refused(self, daemon: Daemon) -> None:
        """It ends with 1, after one line about it, and has listened nowhere."""
        self.assertEqual(daemon.wait(), 1)
        said = [line for line in daemon.lines if "cannot start" in line]
        self.assertEqual(len(said), 1)
        self.assertIn("has no users who could log in: cronq users add NAME --database-url sqlite", said[0])
        self.assertNotIn("listening on", daemon.output)
        self.assertNotIn("Traceback", daemon.output)

    def test_others_reach_it(self) -> None:
        """Without users it does not start there; with one it does, and asks for a login."""
        daemon = self.start("cronq", "--listen-interface", "0.0.0.0", "--allowed-host", "cron.example")
        self.refused(daemon)
        self.cli("users", "add", "anna", stdin=PASSWORD)
        token = self.cli("tokens", "add", "deploy", "--role", "editor")
        daemon.start()
        port = urlsplit(daemon.wait_for_line(r"listening on (http://\S+)/$")[1]).port
        headers = {"Authorization": f"Bearer {token}"}
        for path, more, code in (
            ("/_status", {}, 200),
            ("/", {}, 303),
            ("/api/jobs", {}, 401),
            ("/api/jobs", headers, 200),
            ("/api/jobs", headers | {"Host": "cron.example"}, 200),
            ("/api/jobs", headers | {"Host": "evil.example"}, 421),
        ):
            self.assertEqual(ask(HTTPConnection("127.0.0.1", port or 0), path, more), code, (path, more))
        document = {"category": "c", "jobs": [job("j", "true")]}
        where = {"CRONQ_URL": f"http://127.0.0.1:{port}/", "CRONQ_TOKEN": token}
        self.cli("apply", "-", stdin=json.dumps(document), **where)
        self.assertEqual(json.loads(self.cli("jobs", "--json", **where))["name"], "j")

    def test_socket(self) -> None:
        """Behind a UNIX socket the proxy says who it is, when it is to be believed."""
        path = str(self.folder / "web.sock")
        daemon = self.start("cronq", "--listen", f"unix:{path}", "--trusted-proxy", "unix")
        self.refused(daemon)
        self.cli("users", "add", "anna", "--no-password")
        said = len(daemon.lines)
        daemon.start()
        daemon.wait_for_line("listening on", after=said)
        headers = {"X-Remote-User": "anna", "Host": "whatever.example"}
        self.assertEqual(ask(SocketConnection(path), "/", headers), 200)
        self.assertEqual(ask(SocketConnection(path), "/", headers | {"X-Remote-User": "eve"}), 403)
        self.assertEqual(ask(SocketConnection(path), "/", {}), 303)
