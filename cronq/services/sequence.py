"""Services that build on one another."""

from collections.abc import Iterable

from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred, maybeDeferred


class Sequence(MultiService):
    """Starts its services in their order, and stops them one by one in the reverse order."""

    @classmethod
    def of(cls, services: Iterable[IService]) -> "Sequence":
        """A sequence of these services."""
        sequence = cls()
        for service in services:
            service.setServiceParent(sequence)
        return sequence

    def stopService(self) -> Deferred[None]:
        """Fires when all are stopped."""
        self.running = 0
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        for service in reversed(list(self)):
            await maybeDeferred(service.stopService)
