"""Services that build on one another."""

from collections.abc import Iterable

from twisted.application.service import IService, MultiService, Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.logger import Logger

log = Logger()


class Sequence(MultiService):
    """Starts its services in their order, and stops them one by one in the reverse order."""

    @classmethod
    def of(cls, services: Iterable[IService]) -> "Sequence":
        """A sequence of these services."""
        sequence = cls()
        for service in services:
            service.setServiceParent(sequence)
        return sequence

    def startService(self) -> None:
        """Raises what a service raises that cannot start; those before it are stopped again."""
        Service.startService(self)
        for number, service in enumerate(self):
            try:
                service.startService()
            except BaseException:
                self.running = 0
                Deferred.fromCoroutine(_stop(list(self)[:number]))
                raise

    def stopService(self) -> Deferred[None]:
        """Fires when all are stopped, those that made difficulties included."""
        self.running = 0
        return Deferred.fromCoroutine(_stop(list(self)))


async def _stop(services: list[IService]) -> None:
    for service in reversed(services):
        try:
            await maybeDeferred(service.stopService)
        except Exception:
            log.failure("{service} did not stop in good order", service=service)
