"""Making a process that begins as another user, in another directory or with another mask.

posix_spawn(3) knows none of these. The standard library forks for it (without a directory and a mask of its
own, it need not), and says what could not be done before the command itself is there.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cronq.domain.errors import CannotStart
from cronq.execution.accounts import Account

#: Python ignores some signals, and so may whatever started the runner; a command begins with none ignored.
ALL_SIGNALS = signal.valid_signals()
#: Seconds that a file system may take to say whether a user can enter a directory.
PATIENCE = 5.0
_ENTER = 'cd -- "$1"'


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a process begins, where that is not as the runner itself is."""

    account: Account | None = None
    directory: str | None = None
    umask: int | None = None


def fork(
    argv: Sequence[str], environment: Mapping[str, str], around: Surroundings, out: int, err: int
) -> int:
    """Start a process as the leader of a session of its own and give its id; reaping it is up to the caller.

    Raises `CannotStart` when the surroundings cannot be had, and `OSError` when the program cannot be run.
    """
    if around.directory is not None:
        _require_directory(around.directory, around.account)
    with _signals_as_at_birth():
        try:
            child = subprocess.Popen(  # noqa: S603 (to run what users say is what cronq is for)
                argv,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=around.directory,
                umask=-1 if around.umask is None else around.umask,
                start_new_session=True,
                **_switch(around.account),
            )
        except OSError as error:
            if error.filename == argv[0]:
                raise
            raise _refused(around, error) from error
    child.returncode = 0  # whoever reaps it is not this object
    return child.pid


def _switch(account: Account | None) -> dict[str, Any]:
    if account is None or account.is_own:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": account.groups}


def _refused(around: Surroundings, error: OSError) -> CannotStart:
    if around.account is not None and not around.account.is_own:
        return CannotStart(f"this runner may not run commands as {around.account.name!r}: {error.strerror}")
    return CannotStart(f"the directory {around.directory!r} cannot be entered: {error.strerror}")


def _require_directory(directory: str, account: Account | None) -> None:
    """A process enters its directory before it becomes another user, who may have no right to be there."""
    try:
        os.stat(f"{directory}/")  # noqa: PTH116 (the slash asks for a directory)
    except OSError as error:
        raise CannotStart(f"the directory {directory!r} cannot be entered: {error.strerror}") from error
    if account is None or account.is_own:
        return
    argv = ["/bin/sh", "-c", _ENTER, "sh", directory]
    try:
        tried = subprocess.run(  # noqa: S603 (nothing of it is put together from texts)
            argv, check=False, capture_output=True, timeout=PATIENCE, env={}, **_switch(account)
        )
    except OSError as error:
        raise _refused(Surroundings(account), error) from error
    except subprocess.TimeoutExpired as error:
        raise CannotStart(f"the directory {directory!r} gives no answer") from error
    if tried.returncode:
        raise CannotStart(f"the directory {directory!r} cannot be entered by {account.name!r}")


@contextmanager
def _signals_as_at_birth() -> Iterator[None]:
    """See to it that a child of the standard library begins with no signal ignored and none blocked.

    What has a handler is not ignored any more by what is executed: execve(2).
    """
    ignored = [each for each in ALL_SIGNALS if signal.getsignal(each) is signal.SIG_IGN]
    blocked = signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for each in ignored:
        signal.signal(each, _ignore)
    try:
        yield
    finally:
        for each in ignored:
            signal.signal(each, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _ignore(_number: int, _frame: object) -> None:
    pass
