"""What a signal does: the first stops in an orderly way, the second stops now."""

import os
import signal
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.logger import Logger

log = Logger()


class Signals(Service):
    """Handles SIGTERM and SIGINT. (The reactor by itself makes an error of the second one.)"""

    def __init__(self, reactor: Any, stop_now: Callable[[], None] | None = None) -> None:
        """`stop_now` hastens the orderly end; without it, or with a third signal, the process just ends."""
        self._reactor = reactor
        self._left = [self._stop, *([stop_now] if stop_now else []), self._exit]

    def startService(self) -> None:
        """Take the signals over as soon as the reactor has installed its own handling of them."""
        Service.startService(self)
        self._reactor.callWhenRunning(self._reactor.callLater, 0, self._install)

    def _install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._received)

    def _received(self, number: int, _frame: object) -> None:
        self._reactor.callFromThread(self._act, signal.Signals(number).name)

    def _act(self, name: str) -> None:
        log.info("received {name}", name=name)
        self._left.pop(0)()

    def _stop(self) -> None:
        self._reactor.stop()

    def _exit(self) -> None:
        log.warn("stopping at once")
        os._exit(1)
