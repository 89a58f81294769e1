"""What the web is busy with: before it ends, requests are answered and the answers reach whoever asked."""

from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

#: Seconds for the last answers to be fetched.
LAST_ANSWERS = 5.0


class RequestsInHand(Resource):
    """Passes requests on, and knows those that are not answered yet."""

    isLeaf = True

    def __init__(self, inner: IResource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inner = inner
        self._in_hand: set[Deferred[Any]] = set()

    def render(self, request: Request) -> bytes | int:
        """See `IResource`."""
        answered: Deferred[Any] = request.notifyFinish()
        self._in_hand.add(answered)
        answered.addErrback(lambda _: None)  # whoever asked has gone
        answered.addCallback(lambda _: self._in_hand.discard(answered))
        rendered: bytes | int = self._inner.render(request)
        return rendered

    def all_answered(self) -> Deferred[Any]:
        """Fires when those are answered that are in hand now."""
        return DeferredList(list(self._in_hand))


class Connections(WrappingFactory[ProtocolWrapper]):
    """Knows the connections that are open."""

    noisy = False

    def __init__(self, site: Site, clock: IReactorTime) -> None:
        super().__init__(site)  # type: ignore[no-untyped-call]
        self._clock = clock
        self._all_closed: Deferred[None] | None = None

    def close_all(self) -> Deferred[None]:
        """Fires when all are closed, each when its answers are sent, or when that is taking too long."""
        self._all_closed = all_closed = Deferred[None]()
        for each in list(self.protocols):
            each.loseConnection()
        self._tell_if_all_closed()
        return all_closed.addTimeout(LAST_ANSWERS, self._clock).addErrback(_trap_timeout)

    def unregisterProtocol(self, p: ProtocolWrapper) -> None:
        """One is closed."""
        super().unregisterProtocol(p)  # type: ignore[no-untyped-call]
        self._tell_if_all_closed()

    def _tell_if_all_closed(self) -> None:
        if self._all_closed is not None and not self.protocols:
            told, self._all_closed = self._all_closed, None
            told.callback(None)


def _trap_timeout(failure: Any) -> None:
    failure.trap(DeferredTimeout)
