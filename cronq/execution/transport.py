"""The parent's side of a child: its pipes and its end, watched by a `Watch`, and signals to its group."""

import fcntl
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.execution.procfs import group_is_empty, is_of_session, process_status, strays
from cronq.execution.spawning import Child
from cronq.execution.watching import Watch

log = Logger()

#: Bytes taken from one stream in one turn of the reactor: at first what a pipe holds by default, pipe(7).
PIECE, LARGE_PIECE = 65_536, 262_144
#: Bytes that a pipe is made to hold when it is found full: the most that anybody may ask for.
LARGE_PIPE = 1_048_576
#: Stands for an exit status that somebody else has taken.
UNKNOWN = 255


class ChildTransport:
    """Tells a ProcessProtocol of a child, and carries its wishes to it.

    As with reactor.spawnProcess, `processExited` comes at the death of the child and `processEnded` when its
    output is at its end as well, with ProcessDone or ProcessTerminated as the reason. But the child is not
    reaped before `reap`: as long as it is a zombie, no other process or group can be given its id, so that
    a signal to the group cannot hit a stranger.
    """

    def __init__(self, watch: Watch, child: Child, protocol: ProcessProtocol) -> None:
        self.pid = child.pid
        self.process_start = child.process_start
        self._watch = watch
        self._protocol = protocol
        self._pidfd = child.pidfd
        #: Those that are open, by what they are to the child.
        self._pipes = {1: child.out, 2: child.err}
        self._piece = dict.fromkeys(self._pipes, PIECE)
        self._reason: Failure | None = None
        self._reaped = False
        protocol.makeConnection(self)
        watch.add(child.pidfd, self._may_have_died)
        watch.add(child.out, partial(self._readable, 1, child.out))
        watch.add(child.err, partial(self._readable, 2, child.err))

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to every process of the child's group and session. Does nothing once it is reaped."""
        if self._reaped:
            return
        self._signal(number, partial(os.killpg, self.pid, number))
        for stray in strays(self.pid):
            self._signal(number, partial(self._signal_stray, stray, number))

    def _signal_stray(self, pid: int, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            held = os.pidfd_open(pid)
            try:
                if is_of_session(self.pid, pid):
                    signal.pidfd_send_signal(held, number)
            finally:
                os.close(held)

    def _signal(self, number: signal.Signals, send: Callable[[], None]) -> None:
        try:
            send()
        except OSError as error:
            # Processes of other users, as sudo(8) makes them.
            log.warn(
                "Process group {pid} cannot be sent {signal}: {why}",
                pid=self.pid,
                signal=number.name,
                why=error.strerror,
            )

    def is_dead(self) -> bool:
        """Whether the child has died, be it that the reactor has not told us yet."""
        status = process_status(self.pid)
        return status is None or not status.alive

    def group_is_empty(self) -> bool:
        """Whether no living process is left in the child's group."""
        return group_is_empty(self.pid)

    def drain(self) -> None:
        """Pass on all that is in the pipes at this moment."""
        for child_fd, pipe in list(self._pipes.items()):
            self._take(child_fd, pipe, fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ))

    def reap(self) -> None:
        """Let the dead child go, and with it the right to its id."""
        self._reaped = True
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG)

    def _take(self, child_fd: int, pipe: int, most: int) -> bool:
        try:
            data = os.read(pipe, most)
        except BlockingIOError:
            return True
        if len(data) == PIECE == self._piece[child_fd]:
            self._widen(child_fd, pipe)
        if data:
            self._protocol.childDataReceived(child_fd, data)
        return bool(data)

    def _widen(self, child_fd: int, pipe: int) -> None:
        """For whoever writes much: neither side waits for the other at every few bytes then."""
        self._piece[child_fd] = LARGE_PIECE
        with suppress(PermissionError):  # its user has many large pipes: pipe(7), pipe-user-pages-soft
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, LARGE_PIPE)

    def _readable(self, child_fd: int, pipe: int) -> None:
        if self._take(child_fd, pipe, self._piece[child_fd]):
            return
        del self._pipes[child_fd]
        self._close(pipe)
        self._protocol.childConnectionLost(child_fd)
        self._end_if_all_over()

    def _may_have_died(self) -> None:
        self._reason = self._how_it_died()
        if self._reason is None:
            return
        self._close(self._pidfd)
        self._protocol.processExited(self._reason)
        self._end_if_all_over()

    def _close(self, descriptor: int) -> None:
        self._watch.remove(descriptor)
        os.close(descriptor)

    def _how_it_died(self) -> Failure | None:
        try:
            death = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            # Some other part of this process waits for children that are not its own.
            self._reaped = True
            log.error("The exit status of process {pid} was taken by somebody else", pid=self.pid)
            return _reason(exit_code=UNKNOWN)
        if death is None:
            return None
        if death.si_code == os.CLD_EXITED:
            return _reason(exit_code=death.si_status)
        return _reason(by_signal=death.si_status)

    def _end_if_all_over(self) -> None:
        if self._reason is not None and not self._pipes:
            self._protocol.processEnded(self._reason)


def _reason(exit_code: int | None = None, by_signal: int | None = None) -> Failure:
    if exit_code == 0:
        return Failure(ProcessDone(0))
    return Failure(ProcessTerminated(exit_code, by_signal))
