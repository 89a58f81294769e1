"""Finds and ends every process that was started for a test, by a mark in its environment.

Run as a program it waits for its standard input to end, which it does when the test process has ended in
whatever way, and then leaves nothing of the given folder, neither a process nor a file. It imports nothing
but the standard library, so that it starts at once.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MARK = "CRONQ_TEST_FOLDER"


def mark(folder: Path) -> dict[str, str]:
    """The environment variable that makes a process, and all that it starts, belong to `folder`."""
    return {MARK: str(folder)}


def processes_of(folder: Path) -> list[int]:
    """The process ids of all that belongs to `folder` or to a folder in it, daemonized or not."""
    own = f"{MARK}={folder}"
    return [
        pid for pid, variables in _environments() if any(f"{v}/".startswith(f"{own}/") for v in variables)
    ]


def _environments() -> Iterator[tuple[int, list[str]]]:
    for environ in Path("/proc").glob("[0-9]*/environ"):
        # It may have ended since, or be somebody else's.
        with suppress(OSError):
            yield int(environ.parent.name), os.fsdecode(environ.read_bytes()).split("\0")


def states_of(folder: Path) -> set[str]:
    """What the processes of `folder` are doing, in the letters of proc(5): `T` is stopped by a signal."""
    found = set()
    for pid in processes_of(folder):
        with suppress(OSError):
            found.add(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0])
    return found


def signal_all(folder: Path, number: signal.Signals) -> None:
    """Send a signal to every process of `folder`."""
    for pid in processes_of(folder):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_all(folder: Path) -> None:
    """Kill every process of `folder`; return when none is left, which takes a second look at least."""
    for _ in range(500):
        if not processes_of(folder):
            return
        signal_all(folder, signal.SIGKILL)
        time.sleep(0.01)
    raise TimeoutError(f"still running after SIGKILL: {processes_of(folder)}")


def main() -> None:
    """Wait for the test process to end, then clear up behind it."""
    folder = Path(sys.argv[1])
    sys.stdin.read()
    try:
        kill_all(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
