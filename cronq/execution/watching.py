"""Many descriptors that come and go, as one that the reactor watches: an epoll(7) of them."""

import select
from collections.abc import Callable

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

log = Logger()


@implementer(IReadDescriptor)
class Watch:
    """Says when one of its descriptors can be read.

    Three of them come and go with each command. The reactor could watch each by itself; it takes many times
    as long over one, as it has to be ready for much more.
    """

    def __init__(self, reactor: IReactorFDSet) -> None:
        self._reactor = reactor
        # Open as long as there is something to watch.
        self._epoll: select.epoll | None = None
        self._ready: dict[int, Callable[[], None]] = {}

    def add(self, descriptor: int, ready: Callable[[], None]) -> None:
        """Call `ready` as long as the descriptor can be read, or is at its end; sometimes it may be neither.

        Raises `OSError` when no more can be watched.
        """
        if self._epoll is None:
            self._epoll = select.epoll()
            self._reactor.addReader(self)
        self._epoll.register(descriptor, select.EPOLLIN)
        self._ready[descriptor] = ready

    def remove(self, descriptor: int) -> None:
        """Watch it no longer; to be called before it is closed."""
        assert self._epoll is not None
        del self._ready[descriptor]
        self._epoll.unregister(descriptor)
        if not self._ready:
            self._reactor.removeReader(self)
            self._epoll.close()
            self._epoll = None

    def fileno(self) -> int:
        """See `IReadDescriptor`."""
        return self._epoll.fileno() if self._epoll is not None else -1

    def logPrefix(self) -> str:
        """See `IReadDescriptor`."""
        return "execution"

    def doRead(self) -> None:
        """See `IReadDescriptor`."""
        assert self._epoll is not None
        for descriptor, _ in self._epoll.poll(0):
            # What came before in this turn may have removed it; its number may even be another's by now.
            ready = self._ready.get(descriptor)
            if ready is not None:
                self._call(ready)

    def connectionLost(self, reason: Failure) -> None:
        """See `IReadDescriptor`: the reactor has come to its end, and watches nothing any more."""

    def _call(self, ready: Callable[[], None]) -> None:
        try:
            ready()
        except Exception:
            log.failure("a process that was started could not be attended to")
