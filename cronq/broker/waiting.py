"""Several parties waiting for one thing that happens."""

from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


class Waiters(Generic[T]):
    """Those who wait; each has a Deferred of its own, which it may cancel without touching the others."""

    def __init__(self) -> None:
        self._waiting: dict[Deferred[T], None] = {}

    def wait(self) -> Deferred[T]:
        """A Deferred that fires at the next `tell`."""
        waiting: Deferred[T] = Deferred(lambda cancelled: self._waiting.pop(cancelled, None))
        self._waiting[waiting] = None
        return waiting

    def tell(self, result: T | Failure) -> None:
        """Fire all that wait now, in the order in which they came."""
        waiting, self._waiting = self._waiting, {}
        for each in waiting:
            if not each.called:
                each.callback(result)
