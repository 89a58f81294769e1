"""Killing a run: what can be done about it, by how it stands with the run."""

import enum
from dataclasses import replace
from datetime import datetime

from cronq.domain.overlap import REPLACED
from cronq.domain.reports import RunState
from cronq.domain.runs import Status

#: How the reason of a run begins that a person has killed.
BY_PEOPLE = "killed by "
#: How the reasons of killed runs begin that a person, or a rule of their job, wanted to end. (What a runner
#: ends as it is stopped has another reason.)
WANTED = (BY_PEOPLE, REPLACED)


class Kill(enum.Enum):
    """What a kill of a run comes to."""

    #: It has not started, and never will.
    CALLED_OFF = enum.auto()
    #: Its runner is told to end its command.
    ORDERED = enum.auto()
    #: Its runner takes no orders, as those of 0.27 do.
    OUT_OF_REACH = enum.auto()
    #: It has ended.
    TOO_LATE = enum.auto()


def judge_kill(run: RunState) -> Kill:
    """What a kill of this run comes to."""
    if run.status is Status.QUEUED:
        return Kill.CALLED_OFF
    # What was given up for lost while it may still be running is ended when its runner is heard of again.
    if run.status is not Status.RUNNING and not run.abandoned:
        return Kill.TOO_LATE
    return Kill.OUT_OF_REACH if run.runner is None else Kill.ORDERED


def call_off(run: RunState, reason: str, now: datetime) -> RunState:
    """The queued run after it was killed."""
    return replace(run, status=Status.KILLED, reason=reason, ended_at=now, recorded_at=now)


def kill_reason(by: str | None, why: str | None) -> str:
    """What the run says of its end."""
    killed = f"{BY_PEOPLE}{by or 'hand'}"
    return f"{killed}: {why}" if why else killed


def was_wanted(status: Status, reason: str | None) -> bool:
    """Whether a run was killed as a person or a rule of its job wanted it: nothing is wrong with it then."""
    return status is Status.KILLED and (reason or "").startswith(WANTED)
