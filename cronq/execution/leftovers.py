"""Ends what a runner that died has left running, and never anything else."""

import os
import signal
import time
from dataclasses import dataclass

from cronq.execution.procfs import (
    boot_id,
    process_environment,
    process_ids,
    process_start,
    process_status,
)

__all__ = ["Leftover", "boot_id", "end_group", "process_start"]

#: How often the group is looked through again for what was forked in the meantime.
ROUNDS = 100
#: How often a process that shows no environment is looked at again, a millisecond apart.
LOOKS = 50


@dataclass(frozen=True, slots=True)
class Leftover:
    """What a runner notes of a command when it starts it, to find it again after a crash of its own."""

    run_id: str
    #: The process group; the id of its leader and of its session too.
    pid: int
    #: When the leader was started, in clock ticks since boot.
    process_start: int
    #: The boot that these ids and ticks belong to: `boot_id()` of that time.
    boot_id: str


def end_group(left: Leftover) -> bool:
    """Kill what still runs of a command's process group and session; True when there was something.

    A process is killed only when it is known to be the command's: it is in the group or session of the very
    leader that was noted or, that leader being gone, it carries `CRONQ_RUN_ID` of the run in its environment.
    Each is held by a pidfd (pidfd_open(2)) while it is looked at, so its id cannot pass to another meanwhile.
    """
    if left.boot_id != boot_id():
        return False
    ended: set[int] = set()
    for _ in range(ROUNDS):
        fresh = [pid for pid in process_ids() if pid not in ended and _end_if_left(pid, left)]
        if not fresh:
            break
        ended.update(fresh)
    return bool(ended)


def _end_if_left(pid: int, left: Leftover) -> bool:
    if not _is_member(pid, left):
        return False
    try:
        held = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        return _is_member(pid, left) and _is_proven(pid, left) and _kill(held)
    finally:
        os.close(held)


def _is_member(pid: int, left: Leftover) -> bool:
    status = process_status(pid)
    return status is not None and status.alive and left.pid in {status.group, status.session}


def _is_proven(pid: int, left: Leftover) -> bool:
    # This comes after the look at the member: if the leader is there still, the group was its own then.
    return process_start(left.pid) == left.process_start or _carries_run_id(pid, left.run_id)


def _carries_run_id(pid: int, run_id: str) -> bool:
    for _ in range(LOOKS):
        environment = process_environment(pid)
        if environment:
            return f"CRONQ_RUN_ID={run_id}".encode() in environment
        # In the middle of execve(2) a process shows no environment.
        time.sleep(0.001)
    return False


def _kill(held: int) -> bool:
    try:
        signal.pidfd_send_signal(held, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True
