"""Commands whose script says how long they take, and whoever starts them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from cronq.domain.errors import CannotStart
from cronq.domain.outputs import Stream
from cronq.execution.interface import Command, Ended, OnOutput
from cronq.execution.leftovers import Leftover


class ScriptedCommand:
    """A command that takes the time its script says: `5 s`, `2 s exit 3`; `5 s deaf` ignores SIGTERM.

    `5 s undying` is ended by no signal, as a command that waits for a disk that does not answer.
    """

    def __init__(self, clock: IReactorTime, command: str, pid: int) -> None:
        self._deaf = command.endswith(" deaf")
        #: Whether no signal ends it.
        self.immortal = command.endswith(" undying")
        command = command.removesuffix(" deaf").removesuffix(" undying")
        seconds, _, code = command.partition(" s exit ")
        self.pid = pid
        self.process_start = pid
        #: Passes on what it is to write.
        self.on_output: OnOutput
        self.ended: Deferred[Ended] = Deferred()
        self._clock = clock
        self._begun = clock.seconds()
        self._end = clock.callLater(float(seconds.removesuffix(" s")), self._exit, int(code or 0))

    @property
    def runs(self) -> bool:
        return bool(self._end.active())

    @property
    def has_exited(self) -> bool:
        return not self.runs

    def interrupt(self) -> None:
        """SIGTERM."""
        if not self._deaf:
            self._die(143)

    def terminate(self, grace: float) -> None:
        self.interrupt()
        if self.runs:
            self._clock.callLater(grace, self.kill)

    def kill(self) -> None:
        self._die(137)

    def _die(self, code: int) -> None:
        if self.runs and not self.immortal:
            self._end.cancel()
            self._exit(code)

    def vanish(self) -> None:
        """Stop existing without anyone being told, as when the whole machine stops."""
        if self.runs:
            self._end.cancel()

    def _exit(self, code: int) -> None:
        self.ended.callback(Ended(code, self._clock.seconds() - self._begun))


@dataclass(frozen=True, slots=True)
class Started:
    """One start of a command."""

    at: datetime
    environment: Mapping[str, str]
    command: ScriptedCommand
    asked: Command

    @property
    def run_id(self) -> str:
        return self.environment["CRONQ_RUN_ID"]


class ScriptedLauncher:
    """Starts scripted commands and keeps what it was asked to start. `missing` cannot be started.

    What the variable SAYS holds is written at once.
    """

    def __init__(self, clock: IReactorTime, now: Callable[[], datetime]) -> None:
        self._clock = clock
        self._now = now
        self.started: list[Started] = []
        #: By run id: the ends of which a runner has heard.
        self.heard: dict[str, Ended] = {}
        #: By run id: the machine on which it was started.
        self.places: dict[str, str] = {}
        #: Told of each start.
        self.on_start: Callable[[Started], object] = lambda _: None

    def launch(self, command: Command, on_output: OnOutput) -> ScriptedCommand:
        if command.text == "missing":
            raise CannotStart("it is missing")
        scripted = ScriptedCommand(self._clock, command.text, len(self.started) + 1)
        scripted.on_output = on_output
        on_output(Stream.OUT, command.variables.get("SAYS", "").encode())
        environment = {**command.environment, **command.variables}
        self.started.append(Started(self._now(), environment, scripted, command))
        self.on_start(self.started[-1])
        return scripted

    def runs(self) -> list[str]:
        """The run ids that were started, in order, each as often as it was."""
        return [start.run_id for start in self.started]

    def running_ids(self) -> list[str]:
        """The run ids of what runs at this moment."""
        return [start.run_id for start in self.started if start.command.runs]

    def running(self) -> list[ScriptedCommand]:
        """What runs at this moment."""
        return [start.command for start in self.started if start.command.runs]

    def end_leftover(self, left: Leftover) -> bool:
        """What a runner does with what its dead predecessor left running."""
        command = self.started[left.pid - 1].command
        if not command.runs:
            return False
        command.kill()
        return True
