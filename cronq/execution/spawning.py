"""The one door through which a command becomes a process: posix_spawn(3), where that will do, and a pidfd."""

import errno
import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from cronq.domain.errors import CannotStart
from cronq.execution.accounts import Account, find_account
from cronq.execution.forking import ALL_SIGNALS, Surroundings, fork
from cronq.execution.interface import Command
from cronq.execution.procfs import PROC, process_start

STDERR = 2

REASONS = {
    errno.E2BIG: "the command and its environment are too large",
    errno.EAGAIN: "no more processes may be started now",
    errno.EMFILE: "the runner has too many files open",
    errno.ENFILE: "this machine has too many files open",
    errno.ENOMEM: "there is not enough memory",
}


@dataclass(frozen=True, slots=True)
class Child:
    """A process just made. Its descriptors, and the duty to reap it, belong to whoever receives this."""

    pid: int
    #: Clock ticks since boot.
    process_start: int
    #: Readable as soon as the process has died: pidfd_open(2).
    pidfd: int
    #: Reading ends of the pipes at its standard output and error, non-blocking.
    out: int
    err: int


def spawn_shell(command: Command) -> Child:
    """Run `SHELL -c TEXT ARGUMENTS` as the leader of a session and process group of its own.

    Its input is /dev/null; it inherits no other descriptor, no ignored and no blocked signal. Raises
    CannotStart, and then leaves neither a process nor a descriptor behind.
    """
    if "\0" in command.text:
        raise CannotStart("the command holds a NUL character, which no shell can be given")
    argv = [command.shell, "-c", command.text]
    if command.arguments:
        argv += [command.shell, *command.arguments]
    account = None if command.user is None else find_account(command.user)
    of_account: Mapping[str, str] = account.environment if account else {}
    environment = {**command.environment, **of_account, **command.variables}
    try:
        return _spawn(argv, environment, _surroundings(command, account))
    except ValueError as error:
        what = f"the command and its environment cannot be handed to {command.shell}"
        raise CannotStart(f"{what}: {error}") from error
    except OSError as error:
        reason = REASONS.get(error.errno or 0, f"{command.shell} could not be started")
        raise CannotStart(f"{reason}: {error.strerror}") from error


def _surroundings(command: Command, account: Account | None) -> Surroundings | None:
    if account is None and command.directory is None and command.umask is None:
        return None
    return Surroundings(account, command.directory, command.umask)


def withhold_descriptors() -> None:
    """Mark what this process inherited from its parent (a shell, systemd) as close-on-exec, once.

    Python does so with every descriptor that it opens itself, so that none reaches a command.
    """
    for entry in list((PROC / "self/fd").iterdir()):
        if int(entry.name) > STDERR:
            with suppress(OSError):  # the one that the folder was read by is closed already
                os.set_inheritable(int(entry.name), False)


def require_pidfd() -> None:
    """Raise CannotStart when the kernel cannot watch processes by descriptor, before anything is started."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError as error:
        raise CannotStart(f"commands need pidfd_open, of Linux 5.3 or later: {error.strerror}") from error


def _spawn(argv: list[str], environment: Mapping[str, str], around: Surroundings | None) -> Child:
    # By hand and not by an ExitStack, which would take longer than all that it does here.
    ours: list[int] = []
    try:
        out, out_end, err, err_end = _open_pipes(ours)
        if around is None:
            pid = _posix_spawn(argv, environment, out_end, err_end)
        else:
            pid = fork(argv, environment, around, out_end, err_end)
        ours = [out, err]
        # Closed now, they make room for the descriptor needed next.
        os.close(out_end)
        os.close(err_end)
        return _watch(pid, out, err)
    except BaseException:
        for descriptor in ours:
            os.close(descriptor)
        raise


def _posix_spawn(argv: list[str], environment: Mapping[str, str], out: int, err: int) -> int:
    return os.posix_spawn(
        argv[0],
        argv,
        environment,
        file_actions=(
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, out, 1),
            (os.POSIX_SPAWN_DUP2, err, 2),
        ),
        setsid=True,
        setsigmask=(),
        setsigdef=ALL_SIGNALS,
    )


def _open_pipes(opened: list[int]) -> list[int]:
    """Two pipes, each with its reading end first; what is open is in the list even if an error is raised."""
    for _ in range(2):
        reading, writing = os.pipe()
        opened += reading, writing
        os.set_blocking(reading, False)
    return opened


def _watch(pid: int, out: int, err: int) -> Child:
    try:
        return Child(pid, process_start(pid) or 0, os.pidfd_open(pid), out, err)
    except OSError:
        # A command that nobody would hear the end of is better ended at once.
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitid(os.P_PID, pid, os.WEXITED)
        raise
