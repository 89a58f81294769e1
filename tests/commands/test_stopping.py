"""What each signal does, and how a program that cannot start ends."""

import os
import signal
import sys
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from cronq.commands.stopping import Signals, StartRefused, cannot_start


class Reactor:
    """As much of a reactor as is needed to be stopped."""

    def __init__(self) -> None:
        self.happened: list[str] = []
        self.from_threads: list[Any] = []

    def callWhenRunning(self, call: Any) -> None:
        self.when_running = call

    def callFromThread(self, *call: Any) -> None:
        self.from_threads.append(call)

    def stop(self) -> None:
        self.happened.append("stop")

    def turn(self) -> None:
        while self.from_threads:
            call, *arguments = self.from_threads.pop(0)
            call(*arguments)


class SignalTests(SynchronousTestCase):
    def setUp(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.reactor = Reactor()
        self.patch(os, "_exit", lambda code: self.reactor.happened.append(f"exit {code}"))

    def raised(self, *numbers: signal.Signals) -> list[str]:
        """What each signal makes happen, when the reactor has installed its own handling of them."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.reactor.when_running()
        for number in numbers:
            signal.raise_signal(number)
            self.reactor.turn()
        return self.reactor.happened

    def test_daemon(self) -> None:
        """The first signal stops a daemon in good order, the second ends it."""
        Signals(self.reactor).startService()
        self.assertEqual(self.raised(signal.SIGTERM, signal.SIGINT), ["stop", "exit 1"])

    def test_runner(self) -> None:
        """The second signal ends a runner's commands, the third the runner."""
        Signals(self.reactor, lambda: self.reactor.happened.append("end commands")).startService()
        self.assertEqual(
            self.raised(signal.SIGINT, signal.SIGINT, signal.SIGTERM), ["stop", "end commands", "exit 1"]
        )

    def test_one_line_each(self) -> None:
        """Each signal is a line that says what happens now, and what another one would do."""
        Signals(self.reactor, lambda: None).startService()
        with capturedLogs() as said:
            self.raised(signal.SIGTERM, signal.SIGINT, signal.SIGTERM)
        self.assertEqual(
            [formatEvent(event) for event in said],
            [
                "received SIGTERM: stopping in good order; a second signal stops it now",
                "received SIGINT: ending what still runs; a third signal just ends the process",
                "received SIGTERM: ending at once",
            ],
        )

    def test_early(self) -> None:
        """A signal that comes before the reactor runs is not lost, and no traceback: it stops soon."""
        Signals(self.reactor).startService()
        signal.raise_signal(signal.SIGTERM)
        self.assertEqual(self.reactor.happened, [])
        self.reactor.turn()
        self.assertEqual(self.reactor.happened, ["stop"])


class CannotStartTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.patch(sys, "excepthook", sys.excepthook)
        self.printed: list[BaseException] = []
        self.ended: list[int] = []
        self.patch(os, "_exit", self.ended.append)
        self.patch(sys, "__excepthook__", lambda _kind, error, _traceback: self.printed.append(error))

    def test_one_line(self) -> None:
        """The cause is a line of the log, and no traceback follows."""
        with capturedLogs() as said:
            error = cannot_start("the port is taken")
        self.assertEqual([formatEvent(event) for event in said], ["cannot start: the port is taken"])
        sys.excepthook(StartRefused, error, None)
        self.assertEqual((self.printed, self.ended), ([], [1]))

    def test_other_errors(self) -> None:
        """Whatever else goes wrong then is not hidden."""
        cannot_start("the port is taken")
        fault = ValueError("a fault")
        sys.excepthook(ValueError, fault, None)
        self.assertEqual((self.printed, self.ended), ([fault], []))
