"""What the runner asks of whatever runs its commands; a scripted launcher keeps the same contract."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import Deferred

from cronq.domain.outputs import Stream

#: Receives the output of a command, piece by piece, as it was written: any bytes, in pieces of any length.
OnOutput = Callable[[Stream, bytes], None]


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be run, and how it begins."""

    text: str
    #: What it inherits from the runner.
    environment: Mapping[str, str]
    #: What is its own, and counts more than what it inherits, and than what is said of its user.
    variables: Mapping[str, str] = field(default_factory=dict)
    #: Is given `-c` and the text.
    shell: str = "/bin/sh"
    #: `$1` and so on in the text.
    arguments: tuple[str, ...] = ()
    #: An absolute path; None: where the runner is.
    directory: str | None = None
    #: A name, or `name:group`; None: that of the runner.
    user: str | None = None
    #: None: that of the runner.
    umask: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command that was started came to its end."""

    #: The exit status or, for a death by signal, 128 + signal, as a shell reports it.
    return_code: int
    #: Seconds from the start to the exit, by the monotonic clock.
    run_time: float


class RunningCommand(Protocol):
    """A command that was started."""

    @property
    def pid(self) -> int:
        """The process id of its shell, and so the id of its process group and of its session."""

    @property
    def process_start(self) -> int:
        """When its shell was started, in clock ticks since boot: field 22 of /proc/PID/stat, proc(5).

        It tells the process from a later one with the same id, as long as the machine is not booted again.
        """

    @property
    def ended(self) -> Deferred[Ended]:
        """Fires once; all that was written before the exit has been passed on by then.

        Output of processes that outlive the command may still be passed on afterwards.
        """

    @property
    def has_exited(self) -> bool:
        """Whether its shell has died, so that its return code is what it is."""

    def terminate(self, grace: float) -> None:
        """Ask the whole process group to end, and kill what is left of it after `grace` seconds.

        A stopped command is continued, so that it can die. `ended` then waits for the group as well. Called
        again, it can only bring the kill forward; when the command has ended, it does nothing.
        """

    def kill(self) -> None:
        """Kill the whole process group now. Does nothing when the command has ended."""


class Launcher(Protocol):
    """Starts commands."""

    def launch(self, command: Command, on_output: OnOutput) -> RunningCommand:
        """Start it with exactly its environment, in a session of its own, without input.

        Raises CannotStart, with a sentence that says why, when nothing was started.
        """
