"""Requests to the web, one after the other over a connection that stays open."""

import contextlib
import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

from bench.installation import Installation
from tests.servers import free_port


class GoesOn(Exception):
    """An answer that does not come to an end, as a stream of events."""


class Client:
    """A client of the web at a port of this machine."""

    def __init__(self, port: int) -> None:
        #: Bytes of the last answer.
        self.size = 0
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, path: str) -> float:
        """Fetch it; gives the seconds until all of it was there.

        Raises RuntimeError when it is refused, and `GoesOn`.
        """
        return self._ask("GET", path)

    def put(self, path: str, value: Any) -> float:
        """Put a value as JSON; gives the seconds until it was answered."""
        return self._ask("PUT", path, json.dumps(value))

    def close(self) -> None:
        """Leave."""
        self._connection.close()

    def _ask(self, method: str, path: str, body: str | None = None) -> float:
        headers = {"Content-Type": "application/json"} if body else {}
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        if (response.getheader("Content-Type") or "").startswith("text/event-stream"):
            raise GoesOn(path)
        text = response.read()
        took = time.perf_counter() - began
        self.size = len(text)
        if response.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {path}: {response.status} {text[:500].decode(errors='replace')}")
        return took


@contextlib.contextmanager
def web_of(installation: Installation) -> Iterator[int]:
    """A web daemon; gives its port."""
    port = free_port()
    installation.start("cronq-web", PORT=str(port)).wait_for("listening on")
    yield port
    installation.stop("cronq-web")
