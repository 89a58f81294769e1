"""The in-process broker as a whole: who is connected, and trouble on request."""

from twisted.internet.interfaces import IReactorTime

from cronq.broker.memory.connection import MemoryConnection
from cronq.broker.memory.server import Server


class MemoryBroker:
    """A broker for the services of one process, and for tests, which can make trouble with it.

    Everything takes a turn of `clock`, as if there were a network: nothing happens within the call.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._server = Server(clock)
        self._is_up = True
        self._connections: list[MemoryConnection] = []

    def connect(self, name: str = "cronq") -> MemoryConnection:
        """A client of this broker; it connects when it is started. Its errors carry its name."""
        connection = MemoryConnection(self._server, name, self._is_up)
        self._connections.append(connection)
        return connection

    def down(self) -> None:
        """Cut all connections and refuse new ones. What is in shared queues stays."""
        self._turn(False)

    def up(self) -> None:
        """Let all connect again."""
        self._turn(True)

    def messages(self, queue: str) -> list[bytes]:
        """The bodies that wait in a queue, in order; without those that a subscriber has in hand."""
        found = self._server.find(queue)
        return [] if found is None else found.bodies()

    def purge(self, queue: str) -> None:
        """Forget what waits in a queue."""
        found = self._server.find(queue)
        if found is not None:
            found.clear()

    def _turn(self, up: bool) -> None:
        self._is_up = up
        for connection in self._connections:
            connection.server_turned(up)
