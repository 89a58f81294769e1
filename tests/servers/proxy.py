"""A TCP proxy to put between a daemon and its broker or database, and to make trouble with."""

import socket
import struct
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from tests.servers.sandbox import free_port

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Proxy:
    """Passes bytes both ways between its own `port` and a server on loopback, in threads of its own.

    It begins by forwarding. `cut`, `hang` and `refuse` make trouble, `restore` ends it.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target = ("127.0.0.1", target_port)
        self._flowing = threading.Event()
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.restore()

    def url(self, url: str) -> str:
        """The URL of the server behind, changed so that it leads through this proxy."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition(":")[0]
        return parts._replace(netloc=f"{host}:{self.port}").geturl()

    def restore(self) -> None:
        """Forward again, those who connect from now on and those whose bytes were held back."""
        self._flowing.set()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Reset all connections both ways; whoever connects again is let through."""
        with self._lock:
            connections, self._connections = self._connections, set()
        for connection in connections:
            _reset(connection)

    def hang(self) -> None:
        """Hold all bytes back, both ways and on new connections too: a network that swallows packets."""
        self._flowing.clear()

    def refuse(self) -> None:
        """Cut all connections and refuse new ones: a server that is not there."""
        if self._listener is not None:
            # Closing alone would not wake the thread that accepts.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def close(self) -> None:
        """End for good."""
        self.refuse()
        self._flowing.set()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._join(client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:
            _reset(client)
            return
        with self._lock:
            self._connections |= {client, server}
        threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        answers = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        answers.start()
        self._pump(client, server)
        answers.join()
        with self._lock:
            self._connections -= {client, server}
        client.close()
        server.close()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
        self._flowing.wait()
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
