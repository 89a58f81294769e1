"""How a program ends: what each signal does, and the one line of a program that cannot even start."""

import atexit
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger

from cronq.domain.errors import CronqError

log = Logger()


class StartRefused(CronqError):
    """The program ends before it has begun."""


def cannot_start(sentence: str) -> StartRefused:
    """Says why the program ends before it has begun; a service raises what it gives, from `startService`.

    (twistd must see an exception: after a SystemExit, who waits for its daemon to start would wait for ever.)
    """
    log.critical("cannot start: {sentence}", sentence=sentence)
    sys.excepthook = _end_quietly
    return StartRefused(sentence)


def end_in_failure(reactor: Any, sentence: str) -> None:
    """Say why a program cannot start whose services have begun, and stop these; it exits with 1."""
    log.critical("cannot start: {sentence}", sentence=sentence)
    atexit.register(_exit_failed)  # by then twistd has removed its file with the process id
    with contextlib.suppress(ReactorNotRunning):
        reactor.stop()


def _exit_failed() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def _end_quietly(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
    if not isinstance(error, StartRefused):
        sys.__excepthook__(kind, error, traceback)
        return
    # Python would wait for threads, such as one that talks to the database, and nobody stops them any more.
    sys.stdout.flush()
    os._exit(1)


class Signals(Service):
    """Handles SIGTERM and SIGINT. (The reactor by itself makes an error of the second one.)"""

    def __init__(self, reactor: Any, stop_now: Callable[[], None] | None = None) -> None:
        """`stop_now` hastens the orderly end; without it, or with a third signal, the process just ends."""
        self._reactor = reactor
        self._steps = [("stopping in good order; a second signal stops it now", self._stop)]
        if stop_now is not None:
            self._steps.append(("ending what still runs; a third signal just ends the process", stop_now))
        self._steps.append(("ending at once", self._exit))

    def startService(self) -> None:
        """Take the signals over, and do it again when the reactor has installed its own handling of them."""
        Service.startService(self)
        self._install()
        self._reactor.callWhenRunning(self._install)

    def _install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._received)

    def _received(self, number: int, _frame: object) -> None:
        self._reactor.callFromThread(self._act, signal.Signals(number).name)

    def _act(self, name: str) -> None:
        what, act = self._steps.pop(0)
        log.info("received {name}: {what}", name=name, what=what)
        act()

    def _stop(self) -> None:
        # An order from afar may have come first.
        with contextlib.suppress(ReactorNotRunning):
            self._reactor.stop()

    def _exit(self) -> None:
        os._exit(1)
