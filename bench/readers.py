"""People who look at pages while something else is measured."""

import http.client
import itertools
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from bench.web import Client

READERS = 50
_PATIENCE = 60  # seconds; the web says something every fifteen


@contextmanager
def hasty(port: int, paths: Sequence[str]) -> Iterator[None]:
    """Fifty people who open a page a second each."""

    def read(number: int, enough: threading.Event) -> None:
        with closing(Client(port)) as client:
            while not enough.wait(1):
                client.get(paths[number % len(paths)])
                number += 1

    with _together(read):
        yield


@contextmanager
def lookers_on(port: int, paths: Sequence[str]) -> Iterator[None]:
    """Fifty people who have a page open, which reads itself again whenever the web says that it has changed.

    What each of them looks at changes, too: so all pages are read.
    """
    streams = [http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE) for _ in range(READERS)]

    def look(number: int, enough: threading.Event) -> None:
        mine = itertools.islice(itertools.cycle(paths), number, None)
        with closing(streams[number]) as stream:
            stream.request("GET", "/events")
            for line in iter(stream.getresponse().readline, b""):
                if line.strip() == b"event: changed" and not enough.is_set():
                    # One that is kept would be closed by the web while nothing changes.
                    with closing(Client(port)) as client:
                        client.get(next(mine))
        raise RuntimeError("the web has ended a stream of events")

    def end() -> None:
        for stream in streams:
            if stream.sock is not None:
                with suppress(OSError):  # the web has ended it
                    stream.sock.shutdown(socket.SHUT_RDWR)

    with _together(look, end):
        yield


@contextmanager
def _together(
    work: Callable[[int, threading.Event], None], end: Callable[[], None] = lambda: None
) -> Iterator[None]:
    """Do it in a thread for each; raises what has gone wrong in one of them."""
    enough = threading.Event()
    failures: list[Exception] = []

    def go(number: int) -> None:
        try:
            work(number, enough)
        except (OSError, RuntimeError, http.client.HTTPException) as error:
            if not enough.is_set():
                failures.append(error)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        enough.set()
        end()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
