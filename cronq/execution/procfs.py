"""What the kernel says of processes: proc(5)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")
#: States of a process that has died and is only waiting to be reaped.
DEAD = frozenset({b"Z", b"X"})
#: What it means that a file of a process cannot be read: the process is gone, or somebody else's.
UNSEEN = (FileNotFoundError, ProcessLookupError, PermissionError)


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """Some of the fields of /proc/PID/stat."""

    alive: bool
    group: int
    session: int
    #: Clock ticks since boot.
    start: int


def process_status(pid: int) -> ProcessStatus | None:
    """The present status of a process; None when there is none with this id, or none we may look at."""
    try:
        fields = _stat_fields(pid)
    except UNSEEN:
        return None
    return ProcessStatus(fields[0] not in DEAD, int(fields[2]), int(fields[3]), int(fields[19]))


def process_start(pid: int) -> int | None:
    """When the process was started, in clock ticks since boot; None when there is none with this id."""
    try:
        return int(_stat_fields(pid)[19])
    except UNSEEN:
        return None


def process_environment(pid: int) -> frozenset[bytes]:
    """The `NAME=value` pairs that a process was given when it was started; none when we may not see them."""
    try:
        block = (PROC / str(pid) / "environ").read_bytes()
    except UNSEEN:
        return frozenset()
    return frozenset(pair for pair in block.split(b"\0") if pair)


@cache
def boot_id() -> str:
    """Names the time since this machine was booted last: random(4)."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def process_ids() -> Iterator[int]:
    """All processes, dead ones that nobody has reaped included."""
    return (int(entry.name) for entry in PROC.iterdir() if entry.name.isdecimal())


def group_is_empty(group: int) -> bool:
    """Whether no living process belongs to this process group, or to the session of the same leader."""
    return not any(
        (_is_in(group, pid) or is_of_session(group, pid)) and _is_alive(pid) for pid in process_ids()
    )


def is_of_session(session: int, pid: int) -> bool:
    """Whether a process, dead or alive, is in this session."""
    try:
        return os.getsid(pid) == session
    except ProcessLookupError:
        return False


def strays(session: int) -> Iterator[int]:
    """Processes of a session that are not in its leader's group: a shell with job control makes them."""
    return (pid for pid in process_ids() if is_of_session(session, pid) and not _is_in(session, pid))


def _stat_fields(pid: int) -> list[bytes]:
    # Read at every start of a command, so without the layers of a file object.
    file = os.open(f"{PROC}/{pid}/stat", os.O_RDONLY)
    try:
        line = os.read(file, 4096)
    finally:
        os.close(file)
    # The name stands in brackets before the rest, and may itself hold blanks and brackets.
    return line.rpartition(b")")[2].split(None, 20)


def _is_in(group: int, pid: int) -> bool:
    # Asked of every process of the machine, so by the call that costs least.
    try:
        return os.getpgid(pid) == group
    except ProcessLookupError:
        return False


def _is_alive(pid: int) -> bool:
    status = process_status(pid)
    return status is not None and status.alive
