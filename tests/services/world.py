"""All of cronq in one process under a clock that only the test moves: no socket, no thread, no sleep."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.task import Clock

from cronq.broker.interface import Queue
from cronq.broker.memory import MemoryBroker
from cronq.database import schema
from cronq.database.categories import replace_category
from cronq.database.gateway import Database, make_engine
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.messages import JobMessage
from cronq.execution.interface import Ended, OnOutput, Stream
from cronq.services.injector import Injector, Republisher
from cronq.services.notebook import Notebook
from cronq.services.reporting import Reports
from cronq.services.results import Results
from cronq.services.runner import Runner
from cronq.services.running import Workplace
from cronq.services.starting import Starts
from cronq.services.tables import Tables

START = datetime(2026, 1, 1)  # noqa: DTZ001 (UTC)


class ScriptedCommand:
    """A command that takes the time its script says: `5 s`, `2 s exit 3`."""

    def __init__(self, clock: Clock, command: str, pid: int) -> None:
        seconds, _, code = command.partition(" s exit ")
        self.pid = pid
        self.process_start = pid
        self.ended: Deferred[Ended] = Deferred()
        self._clock = clock
        self._begun = clock.seconds()
        self._code = int(code or 0)
        self._end = clock.callLater(float(seconds.removesuffix(" s")), self._exit, self._code)

    def terminate(self, grace: float) -> None:
        self.kill()

    def kill(self) -> None:
        if self._end.active():
            self._end.cancel()
            self._exit(143)

    def vanish(self) -> None:
        """Stop existing without anyone being told, as when the whole machine stops."""
        if self._end.active():
            self._end.cancel()

    def _exit(self, code: int) -> None:
        self.ended.callback(Ended(code, self._clock.seconds() - self._begun))


class ScriptedLauncher:
    """Starts scripted commands and keeps what it was asked to start."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.started: list[tuple[datetime, Mapping[str, str]]] = []
        self.commands: list[ScriptedCommand] = []

    def launch(self, command: str, environment: Mapping[str, str], on_output: OnOutput) -> ScriptedCommand:
        self.started.append((START + timedelta(seconds=self._clock.seconds()), environment))
        self.commands.append(ScriptedCommand(self._clock, command, len(self.commands) + 1))
        return self.commands[-1]

    def runs(self) -> list[str]:
        """The run ids that were started, in order, each as often as it was."""
        return [environment["CRONQ_RUN_ID"] for _, environment in self.started]


class NoOutput:
    """Output that no one reads."""

    def write(self, stream: Stream, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


class World:
    """A database, a broker, and services that a test makes as it likes."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.broker = MemoryBroker(self.clock)
        self.folder = folder
        self.database = Database(
            make_engine("sqlite://"), maybeDeferred, self.clock, read_clock=lambda _: self.now()
        )
        self.launcher = ScriptedLauncher(self.clock)
        self.do(schema.upgrade)
        self._services: list[Any] = []

    def now(self) -> datetime:
        """What all clocks show."""
        return START + timedelta(seconds=self.clock.seconds())

    def connect(self, name: str) -> Any:
        """A new connection to the broker."""
        connection = self.broker.connect(name)
        connection.startService()
        self._services.append(connection)
        return connection

    def start_injector(self, name: str = "injector.1", interval: float = 3600.0) -> Injector:
        connection, tables = self.connect(name), Tables(self.database, create=False)
        injector = Injector(self.database, tables, connection, self.clock, name, interval)
        self._start(injector)
        self._start(Republisher(self.database, tables, connection, self.clock, 600.0))
        return injector

    def start_results(self, name: str = "results.1") -> Results:
        results = Results(
            self.database, Tables(self.database, create=False), self.connect(name), self.clock
        )
        self._start(results)
        return results

    def start_runner(
        self,
        name: str = "runner.1",
        concurrency: int = 4,
        keys: tuple[str, ...] = ("default",),
        queue: str = "cronq_jobs",
    ) -> Runner:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        connection = self.connect(name)
        reports = Reports(connection, Notebook(folder, lambda *_: succeed(None)), self.clock)
        place = Workplace(self.launcher, reports, self.now, _no_output, {"PATH": "/bin"}, "host", name)
        starts = Starts(connection, self.clock, self.now, self.clock.seconds, "host", name)
        runner = Runner(connection, Queue(queue, keys), starts, place, self.clock, concurrency, 300.0)
        self._start(runner)
        return runner

    def put(self, *jobs: JobDefinition, category: str = "example") -> None:
        """Replace a category."""
        self.do(replace_category, Category(category, jobs))

    def do(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a database function in a transaction, now."""
        results: list[Any] = []
        failures: list[Any] = []
        Deferred.fromCoroutine(self.database.transact(function, *arguments)).addCallbacks(
            results.append, failures.append
        )
        if failures:
            failures[0].raiseException()
        return results[0]

    def rows(self, query: Any) -> list[Any]:
        """What a query finds."""

        def select(connection: Connection) -> list[Any]:
            return list(connection.execute(query))

        found: list[Any] = self.do(select)
        return found

    def run_for(self, seconds: float) -> None:
        """Let so much time pass; all that is due meanwhile happens at its own instant."""
        end = self.clock.seconds() + seconds
        while (calls := self.clock.getDelayedCalls()) and (due := min(c.getTime() for c in calls)) <= end:
            self.clock.advance(max(0.0, due - self.clock.seconds()))
        self.clock.advance(max(0.0, end - self.clock.seconds()))

    def stop(self, service: Any) -> None:
        """Stop a service in an orderly way, as far as that takes no time."""
        maybeDeferred(service.stopService)

    def _start(self, service: Any) -> None:
        service.startService()
        self._services.append(service)


def _no_output(_job: JobMessage) -> NoOutput:
    return NoOutput()
