"""All of cronq in one process under a clock that only the test moves: no socket, no thread, no sleep."""

import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from twisted.internet.defer import Deferred, maybeDeferred

from cronq.broker.interface import DEFAULT_ROUTING_KEY, JOBS, RESULTS, Message, Queue
from cronq.broker.memory import MemoryBroker
from cronq.database import schema
from cronq.database.categories import replace_category
from cronq.database.gateway import Database, make_engine, transact_here
from cronq.database.outbox import forget_published
from cronq.database.reading.auditing import Audit, Question
from cronq.database.restarts import lose_running
from cronq.domain.errors import CronqError, DatabaseUnavailable, NotStorable
from cronq.domain.findings import Finding
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.messages import JobMessage
from cronq.domain.outputs import Stream
from cronq.services.counting import Counting
from cronq.services.forgetting import Forgetting
from cronq.services.gauging import Gauging
from cronq.services.injector import Injector, Republisher
from cronq.services.intake import Intake
from cronq.services.live_output import LiveOutput
from cronq.services.loop import Loop
from cronq.services.mailbox import Mailbox
from cronq.services.notebook import Notebook
from cronq.services.ordering import OrderPublisher
from cronq.services.recovery import recover, take_over
from cronq.services.reporting import Reports
from cronq.services.results import Results
from cronq.services.runner import Identity, Runner
from cronq.services.running import Workplace
from cronq.services.salvage import Salvage
from cronq.services.starting import Starts
from cronq.services.state_folder import LockedFolder, home_id, lock_free_folders
from cronq.services.tables import Tables
from cronq.services.watch import Watch
from tests.services.commands import ScriptedLauncher
from tests.services.process import Process, ProcessLauncher
from tests.services.turns import Turns

T = TypeVar("T")

START = datetime(2026, 1, 1)
JOB_QUEUE = Queue(JOBS, (DEFAULT_ROUTING_KEY,))


@functools.cache
def _memory() -> tuple[Engine, bytes]:
    engine = make_engine("sqlite://")
    transact_here(engine, schema.upgrade)
    with closing(engine.raw_connection()) as connection:
        return engine, cast("Any", connection).serialize()


def empty_database() -> Engine:
    """SQLite in memory with empty tables. There is only one, which is emptied: a new one takes its time."""
    engine, empty = _memory()
    with closing(engine.raw_connection()) as connection:
        cast("Any", connection).deserialize(empty)
    return engine


class NoOutput:
    """Output that no one reads."""

    def write(self, stream: Stream, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


class World:
    """A database, a broker, and daemons that a test starts, and troubles, as it likes.

    The broker is like RabbitMQ: it confirms when it has a message, and keeps what is in a shared queue.
    """

    def __init__(self, folder: Path, heartbeat_interval: float = 10.0, lost_after: float = 60.0) -> None:
        """Both in seconds."""
        self.clock = Turns()
        self.folder = folder
        self.heartbeat_interval = heartbeat_interval
        self.lost_after = lost_after
        #: Seconds; how often results looks who looks on.
        self.look_interval = 600.0
        self.launcher = ScriptedLauncher(self.clock, self.now)
        self.transactions = 0
        self._engine = empty_database()
        self._database_trouble: dict[int, bool] = {}
        self._database_is_up = True
        self._hung: list[Deferred[None]] | None = None
        #: Whether the database refuses what a transaction with these arguments is to write.
        self.refuses: Callable[[Sequence[Any]], bool] = lambda _: False
        self._clock_is_off = timedelta(0)
        #: By machine: how far its clock is ahead of the database's.
        self.ahead: dict[str, timedelta] = defaultdict(timedelta)
        #: By runner id: all that were ever started.
        self.runners: dict[str, RunnerProcess] = {}
        self._lives = itertools.count(1)
        self.broker = MemoryBroker(self.clock)
        self.broker._server.declare(Queue(RESULTS, (RESULTS,)))  # who comes first decides when it confirms
        self.database = Database(self._engine, maybeDeferred, self.clock, read_clock=lambda _: self.now())

    def now(self) -> datetime:
        """What the clock of the database shows, and those of machines that are not set otherwise."""
        return START + timedelta(seconds=self.clock.seconds()) + self._clock_is_off

    def run_for(self, seconds: float) -> None:
        """Let so much time pass; all that is due meanwhile happens at its own instant."""
        self.clock.run_for(seconds)

    def jump(self, seconds: float) -> None:
        """Set all clocks to another time, but for the one that only counts."""
        self._clock_is_off += timedelta(seconds=seconds)

    def set_ahead(self, machine: str, seconds: float) -> None:
        """Set the clock of a machine to so many seconds ahead of the database's."""
        self.ahead[machine] = timedelta(seconds=seconds)

    def database_down(self) -> None:
        """Fail every transaction of the daemons, until `database_up`."""
        self._database_is_up = False

    def database_hangs(self) -> None:
        """Answer no transaction, until `database_up`."""
        if self._hung is None:
            self._hung = []

    def database_up(self) -> None:
        """End of either trouble."""
        self._database_is_up = True
        hung, self._hung = self._hung or [], None
        for unblocked in hung:
            unblocked.callback(None)

    def fail_commit(self, after: int, *, committed: bool) -> None:
        """Fail the daemons' next transaction but so many; it is `committed` all the same, or it is not."""
        self._database_trouble[self.transactions + after] = committed

    def forget_commits(self) -> None:
        """Let no commit fail that was to."""
        self._database_trouble.clear()

    def process(self, name: str) -> Process:
        """A process that is connected to the broker."""
        return Process(name, self.clock, self.broker.connect(name))

    def start_injector(
        self,
        name: str = "injector.1",
        interval: float = 3600.0,
        republish_interval: float = 600.0,
        order_interval: float = 600.0,
    ) -> Process:
        process = self.process(name)
        database = self._database_of(process)
        tables = Tables(database, create=False)
        process.run(
            Injector(database, tables, process.broker, process.clock, name, interval),
            Republisher(database, tables, process.broker, process.clock, republish_interval),
            OrderPublisher(database, tables, process.broker, process.clock, order_interval),
        )
        return process

    def start_results(self, name: str = "results.1") -> Process:
        process = self.process(name)
        database = self._database_of(process)
        process.run(*self._results(process, database, Tables(database, create=False), name))
        return process

    def start_runner(
        self,
        name: str = "runner.1",
        concurrency: int = 4,
        queue: Queue = JOB_QUEUE,
        drain_seconds: float = 300.0,
        machine: str | None = None,
    ) -> "RunnerProcess":
        """Start a runner, which goes on with the notes of the dead of its machine; that is one of its own,
        with the runner's name, if no other is given. Raises `OSError` when that has no space for its notes.
        """
        process = RunnerProcess(self, name, concurrency, queue, drain_seconds, machine or name)
        process.run(process.runner, process.salvage)
        return process

    def start_all_in_one(
        self, republish_interval: float = 1.0, order_interval: float = 10.0
    ) -> "RunnerProcess":
        """`twistd cronq`: one process for all. The broker is in it, and forgets all when it ends."""
        self.broker = MemoryBroker(self.clock)
        process = RunnerProcess(self, "cronq", 4, JOB_QUEUE, 300.0, "cronq", goes_when_drained=False)
        database = self._database_of(process)
        tables = Tables(database, create=True, then=[forget_published, lose_running])
        broker, clock = process.broker, process.clock
        process.run(
            *self._results(process, database, tables, "cronq"),
            process.runner,
            process.salvage,
            Injector(database, tables, broker, clock, "cronq", 60.0),
            Republisher(database, tables, broker, clock, republish_interval),
            OrderPublisher(database, tables, broker, clock, order_interval),
        )
        return process

    def _results(self, process: Process, database: Database, tables: Tables, name: str) -> tuple[Loop, ...]:
        results = Results(database, tables, process.broker, process.clock)
        daemon = f"{name}.{next(self._lives)}"
        watch = Watch(
            database,
            tables,
            process.broker,
            process.clock,
            daemon,
            self.lost_after,
            results.lag,
            self.heartbeat_interval,
        )
        live_output = LiveOutput(database, tables, process.broker, process.clock, self.look_interval)
        duties = (each(database, tables, process.clock) for each in (Forgetting, Gauging, Counting))
        return watch, results, *duties, live_output

    def put(self, *jobs: JobDefinition, category: str = "example") -> None:
        """Replace a category."""
        self.do(replace_category, Category(category, jobs))

    def publish(self, message: Message) -> None:
        """Publish as a program of somebody else would."""
        connection = self.broker.connect("somebody")
        connection.startService()
        self.run_for(0)
        connection.publish(message).addErrback(lambda failure: failure.trap(CronqError))
        self.run_for(0)

    def do(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a database function in a transaction, now."""
        results: list[T] = []
        failures: list[Any] = []
        flow = Deferred.fromCoroutine(self.database.transact(function, *arguments))
        flow.addCallbacks(results.append, failures.append)
        if failures:
            failures[0].raiseException()
        return results[0]

    def audit(self) -> list[Finding]:
        """What an audit of all that has happened finds; when that is nothing, its totals add up."""
        audit, found = Audit(Question()), list[Finding]()
        while not audit.finished:
            found += self.do(audit.step)
        assert found or not audit.totals.rows_without_slot, audit.totals.in_words()
        return found

    def rows(self, query: Any) -> list[Any]:
        """What a query finds."""

        def select(connection: Connection) -> list[Any]:
            return list(connection.execute(query))

        return self.do(select)

    def execute(self, statement: Any) -> None:
        """Change the database behind the backs of all."""
        self.do(lambda connection: connection.execute(statement))

    def next_runner_id(self, name: str) -> str:
        """Every life of a runner has an id of its own."""
        return f"{name}.{next(self._lives)}"

    def _database_of(self, process: Process) -> Database:
        def run(function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
            if self._hung is None:
                return process.in_thread(self._transaction, process, function, arguments)
            unblocked: Deferred[None] = Deferred()
            self._hung.append(unblocked)
            return unblocked.addCallback(lambda _: run(function, *arguments))

        return Database(self._engine, run, process.clock, read_clock=lambda _: self.now())

    def _transaction(self, process: Process, call: Callable[..., Any], work: tuple[Any, ...]) -> Any:
        if not process.reaches_database:
            raise DatabaseUnavailable("the database cannot be reached")
        committed = self._database_trouble.pop(self.transactions, None)
        self.transactions += 1
        if not self._database_is_up or committed is False:
            raise DatabaseUnavailable("the database does not answer")
        _, arguments, _ = work
        if self.refuses(arguments):
            raise NotStorable("the database refuses it")
        result = call(*work)
        if committed:
            raise DatabaseUnavailable("the database did not answer the commit")
        return result


class RunnerProcess(Process):
    """A runner in its process."""

    def __init__(
        self,
        world: World,
        name: str,
        concurrency: int,
        queue: Queue,
        drain_seconds: float,
        machine: str,
        *,
        goes_when_drained: bool = True,
    ) -> None:
        super().__init__(name, world.clock, world.broker.connect(name))
        self.machine = machine
        self._world = world
        self._goes_when_drained = goes_when_drained
        self._folder: LockedFolder | None = None
        self._notebooks: list[Notebook] = []
        folders = world.folder / machine
        self.notebook = self._take_folder(folders)
        reports = Reports(self.broker, self.notebook, self.clock)
        self.identity = Identity(world.next_runner_id(name), "host", home_id(folders))
        world.runners[self.identity.runner] = self
        self._build(reports, queue, concurrency, drain_seconds)
        self.salvage = Salvage(
            folders,
            self._open_notes,
            reports,
            self.clock,
            self._now,
            "host",
            world.launcher.end_leftover,
            world.heartbeat_interval,
        )

    def is_draining(self, run_id: str) -> bool:
        """Whether it has this run in hand while it comes to its end."""
        return self.runner._draining is not None and run_id in self.intake.run_ids

    def exit(self) -> None:
        """What `cronq-runner` does when an order has made it drain."""
        if self._goes_when_drained:
            self.stop()

    def gone(self) -> None:
        """Its files are closed, and its lock is free for others."""
        for notebook in self._notebooks:
            if notebook._file >= 0:
                notebook._release()
        self._notebooks.clear()
        if self._folder is not None:
            self._folder.release()
            self._folder = None

    def _build(self, reports: Reports, queue: Queue, concurrency: int, drain_seconds: float) -> None:
        launcher = ProcessLauncher(self, self._world.launcher)
        runner_id = self.identity.runner
        place = Workplace(
            launcher,
            self.broker,
            reports,
            self.clock,
            self._now,
            _no_output,
            {"PATH": "/bin"},
            "host",
            runner_id,
        )
        mailbox = Mailbox(self.broker, runner_id)
        starts = Starts(self.broker, self.clock, self._now, self.clock.seconds, "host", runner_id, mailbox)
        self.intake = Intake(self.broker, queue, starts, place, self.clock, concurrency)
        self.runner = Runner(
            self.identity,
            self.broker,
            self.intake,
            starts,
            mailbox,
            reports,
            self.clock,
            drain_seconds,
            self.exit,
            self._world.heartbeat_interval,
        )

    def _now(self) -> datetime:
        return self._world.now() + self._world.ahead[self.machine]

    def _open_notes(self, folder: Path) -> Notebook:
        notebook = Notebook(folder, lambda *_: self.in_thread(lambda: None))
        self._notebooks.append(notebook)
        return notebook

    def _take_folder(self, folders: Path) -> Notebook:
        """As `cronq.commands.runner_service` does."""
        own, *left = lock_free_folders(folders)
        self._folder = own
        try:
            notebook = self._open_notes(own.path)
            take_over(notebook, [self._open_notes(folder.path) for folder in left])
            recover(notebook, self._now, "host", self._world.launcher.end_leftover)
        except OSError:
            self.kill()
            for folder in left:
                folder.release()
            raise
        for folder in left:
            folder.clear()
        return notebook


def _no_output(_job: JobMessage) -> NoOutput:
    return NoOutput()
