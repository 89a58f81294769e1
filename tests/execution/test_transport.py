"""The parent's side of a child, with the part of the `Watch` played by hand."""

import errno
import fcntl
import os
import signal
import sys
import termios
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from cronq.execution.interface import Command
from cronq.execution.procfs import process_status
from cronq.execution.spawning import spawn_shell
from cronq.execution.transport import LARGE_PIECE, PIECE, ChildTransport
from cronq.execution.watching import Watch


class Notes(ProcessProtocol):
    """Writes down what a transport tells."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def outReceived(self, data: bytes) -> None:
        self.told.append(("out", data))

    def errReceived(self, data: bytes) -> None:
        self.told.append(("err", data))

    def processExited(self, reason: Failure) -> None:
        self.told.append(("exited", type(reason.value)))

    def processEnded(self, reason: Failure) -> None:
        self.told.append(("ended", type(reason.value)))


class EagerWatch(Watch):
    """Takes everything to be readable, at each turn."""

    def __init__(self) -> None:
        self.watched: dict[int, Callable[[], None]] = {}

    def add(self, descriptor: int, ready: Callable[[], None]) -> None:
        self.watched[descriptor] = ready

    def remove(self, descriptor: int) -> None:
        os.fstat(descriptor)  # it must be open still
        del self.watched[descriptor]

    def turn(self) -> None:
        for ready in list(self.watched.values()):
            ready()


class ChildTransportTests(SynchronousTestCase):
    def start(self, command: str) -> None:
        self.watch = EagerWatch()
        self.notes = Notes()
        child = spawn_shell(Command(command, {"PATH": "/usr/bin:/bin"}))
        self.out = child.out
        self.transport = ChildTransport(self.watch, child, self.notes)
        self.addCleanup(self.transport.reap)
        self.addCleanup(self.close_all)
        self.addCleanup(self.transport.signal_group, signal.SIGKILL)

    def close_all(self) -> None:
        for descriptor in self.watch.watched:
            os.close(descriptor)

    def wait_for_death(self) -> None:
        os.waitid(os.P_PID, self.transport.pid, os.WEXITED | os.WNOWAIT)

    def signals_sent(self) -> list[tuple[int, int]]:
        """Note signals from now on, instead of sending them."""
        sent: list[tuple[int, int]] = []
        self.patch(os, "killpg", lambda group, number: sent.append((group, number)))
        return sent

    def test_life(self) -> None:
        """Output and exit are told each once, the end last, and then nothing is watched any more."""
        self.start("echo 1; echo 2 >&2")
        self.wait_for_death()
        self.watch.turn()
        self.watch.turn()
        *before, last = self.notes.told
        self.assertCountEqual(before, [("out", b"1\n"), ("err", b"2\n"), ("exited", ProcessDone)])
        self.assertEqual(last, ("ended", ProcessDone))
        self.assertEqual(self.watch.watched, {})

    def test_false_alarm(self) -> None:
        """To find everything readable when nothing is does no harm."""
        self.start("exec sleep 600")
        self.watch.turn()
        self.assertEqual(self.notes.told, [])
        self.assertEqual(len(self.watch.watched), 3)

    def test_drain(self) -> None:
        """All that the pipes hold is passed on at once."""
        self.start("head -c 50000 /dev/zero")
        self.wait_for_death()
        self.transport.drain()
        self.assertEqual(self.notes.told, [("out", bytes(50_000))])

    def read_all(self) -> int:
        """Take a turn until the output is at its end; gives the most bytes that came at once."""
        while len(self.watch.watched) > 1 or not self.notes.told:
            self.watch.turn()
        return max(len(each[1]) for each in self.notes.told if isinstance(each, tuple) and each[0] == "out")

    def turn_with(self, count: int) -> None:
        """Take a turn when at least so many bytes wait to be read."""
        size = bytes(4)
        while int.from_bytes(size, sys.byteorder) < count:
            os.sched_yield()
            size = fcntl.ioctl(self.out, termios.FIONREAD, size)
        self.watch.turn()

    def test_much_output(self) -> None:
        """Who writes more than a pipe holds gets a larger one and is read in larger pieces; all comes."""
        self.start("head -c 3000000 /dev/zero; exec >&- 2>&-; exec sleep 600")
        self.turn_with(PIECE)
        self.turn_with(LARGE_PIECE)
        self.assertEqual(self.read_all(), LARGE_PIECE)
        self.assertEqual(b"".join(data for _, data in self.notes.told), bytes(3_000_000))

    def test_no_larger_pipe(self) -> None:
        """Where there may be no more large pipes, small ones do."""

        def refuse(_pipe: int, _command: int, _size: int) -> int:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

        self.patch(fcntl, "fcntl", refuse)
        self.start("head -c 300000 /dev/zero; exec >&- 2>&-; exec sleep 600")
        self.turn_with(PIECE)
        self.assertEqual(self.read_all(), PIECE)
        self.assertEqual(b"".join(data for _, data in self.notes.told), bytes(300_000))

    def test_zombie_is_kept(self) -> None:
        """A child that has died keeps its id until it is reaped, so that its group can be signalled."""
        self.start("exit 3")
        self.wait_for_death()
        self.watch.turn()
        self.assertIn(("exited", ProcessTerminated), self.notes.told)
        self.assertIsNotNone(process_status(self.transport.pid))
        sent = self.signals_sent()
        self.transport.signal_group(signal.SIGTERM)
        self.assertEqual(sent, [(self.transport.pid, signal.SIGTERM)])

    def test_reaped(self) -> None:
        """Nobody is signalled by an id that may be a stranger's by now."""
        self.start("exit 3")
        self.wait_for_death()
        self.watch.turn()
        self.transport.reap()
        self.assertIsNone(process_status(self.transport.pid))
        sent = self.signals_sent()
        self.transport.signal_group(signal.SIGKILL)
        self.assertEqual(sent, [])

    def test_status_taken_by_another(self) -> None:
        """A child that somebody else has reaped is told as failed, and not signalled any more."""
        self.start("exit 0")
        os.waitid(os.P_PID, self.transport.pid, os.WEXITED)
        with capturedLogs() as events:
            self.watch.turn()
        self.assertIn("was taken by somebody else", formatEvent(events[0]))
        self.assertIn(("exited", ProcessTerminated), self.notes.told)
        sent = self.signals_sent()
        self.transport.signal_group(signal.SIGKILL)
        self.assertEqual(sent, [])

    def test_forbidden_signal(self) -> None:
        """A group that belongs to another user is told of in the log, and nothing breaks."""

        def refuse(_group: int, _number: int) -> None:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

        self.start("exit 0")
        with capturedLogs() as events:
            self.patch(os, "killpg", refuse)
            self.transport.signal_group(signal.SIGTERM)
        self.assertIn("cannot be sent SIGTERM: Operation not permitted", formatEvent(events[0]))
