"""A shell command as one object: its output passed on, its process group ended on request, one result."""

import enum
import signal
import time
from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessTerminated
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.domain.outputs import Stream
from cronq.execution.interface import Command, Ended, OnOutput, RunningCommand
from cronq.execution.spawning import require_pidfd, spawn_shell, withhold_descriptors
from cronq.execution.transport import ChildTransport
from cronq.execution.watching import Watch

log = Logger()

#: How long output is waited for after the exit, seconds: a daemon left behind may hold the pipes for ever.
LINGER = 1.0
#: How often a group whose leader has died after `terminate` is looked at, seconds.
LOOK_INTERVAL = 0.25


class IProcessReactor(IReactorFDSet, IReactorTime):
    """A reactor that can watch descriptors and count time."""


class ProcessLauncher:
    """Starts commands as real processes; a `Launcher`.

    Raises CannotStart at once when this kernel has no pidfds (Linux before 5.3).
    """

    def __init__(
        self,
        reactor: IProcessReactor,
        linger: float = LINGER,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        require_pidfd()
        withhold_descriptors()
        self._clock = reactor
        self._watch = Watch(reactor)
        self._linger = linger
        self._monotonic = monotonic

    def launch(self, command: Command, on_output: OnOutput) -> RunningCommand:
        """See `Launcher.launch`.

        A process that outlives the command and holds its output open is not disturbed: what it writes is
        passed on until its end, and costs the runner two descriptors until then.
        """
        running = ShellCommand(self._clock, on_output, self._linger, self._monotonic)
        ChildTransport(self._watch, spawn_shell(command), running)
        return running


class Process(Protocol):
    """What a command asks of its process; see `ChildTransport`."""

    pid: int
    process_start: int

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to every process of the group."""

    def is_dead(self) -> bool:
        """Whether it has died, be it that no one has been told yet."""

    def group_is_empty(self) -> bool:
        """Whether no living process is left in the group."""

    def drain(self) -> None:
        """Pass on all that is in the pipes at this moment."""

    def reap(self) -> None:
        """Let the dead process go; its id may be another's from now on."""


class _Awaited(enum.IntEnum):
    """What the end of a command waits for."""

    EXIT = enum.auto()
    #: That the pipe of a stream is closed, or has been waited for long enough.
    OUT = enum.auto()
    ERR = enum.auto()
    GROUP = enum.auto()


_OUTPUT = frozenset({_Awaited.OUT, _Awaited.ERR})


class ShellCommand(ProcessProtocol):
    """A `RunningCommand` that hears of its process as any ProcessProtocol does.

    It has ended when the process has exited, its output is at its end or has been waited for long enough and,
    after `terminate`, its process group is empty or killed. The process stays a zombie until then.
    """

    def __init__(
        self, clock: IReactorTime, on_output: OnOutput, linger: float, monotonic: Callable[[], float]
    ) -> None:
        self.ended: Deferred[Ended] = Deferred()
        self._clock = clock
        self._on_output = on_output
        self._linger = linger
        self._monotonic = monotonic
        self._awaited = {_Awaited.EXIT, _Awaited.OUT, _Awaited.ERR}
        self._asked_to_end = False
        self._output_failed = False
        self._timers: list[IDelayedCall] = []
        self._began = monotonic()

    def makeConnection(self, transport: Process) -> None:  # noqa: D102
        self._process = transport

    @property
    def pid(self) -> int:
        """The id of the shell, of its process group and of its session."""
        return self._process.pid

    @property
    def process_start(self) -> int:
        """When the shell was started, in clock ticks since boot."""
        return self._process.process_start

    @property
    def has_exited(self) -> bool:
        """See `RunningCommand.has_exited`."""
        return _Awaited.EXIT not in self._awaited or self._process.is_dead()

    def terminate(self, grace: float) -> None:
        """See `RunningCommand.terminate`."""
        if not self._awaited:
            return
        self._later(grace, self.kill)
        if self._asked_to_end:
            return
        self._asked_to_end = True
        self._awaited.add(_Awaited.GROUP)
        self._process.signal_group(signal.SIGTERM)
        self._process.signal_group(signal.SIGCONT)
        self._look_at_group()

    def kill(self) -> None:
        """See `RunningCommand.kill`."""
        if not self._awaited:
            return
        self._asked_to_end = True
        self._process.signal_group(signal.SIGKILL)
        self._arrived(_Awaited.GROUP)

    def outReceived(self, data: bytes) -> None:  # noqa: D102
        self._pass_on(Stream.OUT, data)

    def errReceived(self, data: bytes) -> None:  # noqa: D102
        self._pass_on(Stream.ERR, data)

    def processExited(self, reason: Failure) -> None:  # noqa: D102
        self._result = Ended(_return_code(reason.value), self._monotonic() - self._began)
        if _OUTPUT & self._awaited:
            self._later(self._linger, self._waited_for_output)
        self._arrived(_Awaited.EXIT)
        self._look_at_group()

    def outConnectionLost(self) -> None:  # noqa: D102
        self._arrived(_Awaited.OUT)

    def errConnectionLost(self) -> None:  # noqa: D102
        self._arrived(_Awaited.ERR)

    def _waited_for_output(self) -> None:
        self._process.drain()
        for stream in _OUTPUT:
            self._arrived(stream)

    def _look_at_group(self) -> None:
        if _Awaited.GROUP not in self._awaited or _Awaited.EXIT in self._awaited:
            return
        if self._process.group_is_empty():
            # Killed all the same: a process could be forked behind the back of whoever looks.
            self.kill()
        else:
            self._later(LOOK_INTERVAL, self._look_at_group)

    def _arrived(self, what: _Awaited) -> None:
        if what in self._awaited:
            self._awaited.remove(what)
            if not self._awaited:
                self._end()

    def _end(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._process.reap()
        self.ended.callback(self._result)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        self._timers = [timer for timer in self._timers if timer.active()]
        self._timers.append(self._clock.callLater(delay, call))

    def _pass_on(self, stream: Stream, data: bytes) -> None:
        try:
            self._on_output(stream, data)
        except Exception:
            # A fault in the runner must not close the pipe, which would kill the command by SIGPIPE.
            if not self._output_failed:
                log.failure("Output of process {pid} could not be taken", pid=self.pid)
            self._output_failed = True


def _return_code(death: BaseException | None) -> int:
    if not isinstance(death, ProcessTerminated):
        return 0
    return int(128 + death.signal if death.exitCode is None else death.exitCode)
