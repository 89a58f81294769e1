"""A history: cronq lives for some days under one clock, and chance has it in for it."""

import gc
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher

from cronq.broker.interface import HEARTBEATS, Message
from cronq.database.tables import runs
from cronq.domain.jobs import JobDefinition
from tests.services.commands import Started
from tests.services.process import Process
from tests.services.world import RunnerProcess, World
from tests.simulation.disk import Disk
from tests.simulation.faults import ALONE, BETWEEN_FAULTS, TOGETHER, Fault
from tests.simulation.jobs import Life, any_document
from tests.simulation.observations import Observations
from tests.simulation.wishes import Wishes

DAY, MINUTE = 86_400.0, 60.0
HEARTBEATS_EVERY, LOST_AFTER = 300.0, 1200.0
#: How often an injector looks for what is to be published again, and for orders.
LOOKS_EVERY = 300.0
#: After how many faults what is left over is collected.
FAULTS_TO_COLLECT = 100
#: So long without any trouble, everyone has heard of everyone.
QUIET = 2.5 * HEARTBEATS_EVERY
#: Seconds that may pass after the last fault until all is over.
HEALED_AFTER = 40 * 3600.0


class History(Observations):
    """Daemons, and faults that befall them; every fault is over by itself after a while."""

    def __init__(
        self,
        days: float,
        folder: Path,
        chance: random.Random,
        disk: Disk,
        weights: Mapping[Fault, int] | None,
        names: Sequence[str],
        tell: Callable[[str], object] | None,
    ) -> None:
        """`weights` says which faults there are, if not all, and `names` which jobs there may be. `tell` is
        given every line of what happens.
        """
        super().__init__()
        self.days = days
        self.world = World(folder.resolve(), HEARTBEATS_EVERY, LOST_AFTER)
        self.chance = chance
        self.disk = disk
        #: Whether all daemons are one process, with a broker of its own.
        self.all_in_one = chance.random() < 0.2 and weights is None
        self.faults: Counter[str] = Counter()
        self.lives = {name: Life() for name in names}
        self.daemons: dict[str, Process] = {}
        #: By runner: the machine that it is on.
        self.machines = {"runner 1": "machine 1", "runner 2": "machine 1", "runner 3": "machine 2"}
        self.wishes, self.is_over = Wishes(), False
        # Histories of a few kinds of faults only are short, and go to the point.
        self._between = BETWEEN_FAULTS if weights is None else BETWEEN_FAULTS / 3
        self._faults = weights or (ALONE if self.all_in_one else TOGETHER)
        self._tell = tell
        self._troubles, self._quiet_since = 0, 0.0
        self._started_at: dict[Process, float] = {}
        self.world.launcher.on_start = self._note_start

    @property
    def latest(self) -> datetime:
        """The latest that the clock of the database has shown before it was set back."""
        return max((until for _, until in self.twice), default=datetime.min)

    def is_unclear(self, at: datetime) -> bool:
        """Whether the clock of the database has shown that more than once."""
        return any(since <= at <= until for since, until in self.twice)

    def span(self) -> float:
        """Seconds that something lasts: often short, at times longer than anyone is waited for."""
        return self.chance.choice((0.0, 1.0, 15.0, 90.0, 700.0, 2500.0, 8000.0)) * self.chance.random()

    def live(self) -> None:
        """Live through all of it, heal, and let all come to its end."""
        with self._listening():
            for name in self._names():
                self.start(name)
            self.replace()
            while self.world.clock.seconds() < self.days * DAY:
                self.world.run_for(self._pause())
                self.world.clock.after_turns(self.chance.randint(1, 60), self._strike)
                self.world.run_for(1.0)
                self._collect_garbage()
            self._heal()
            for daemon in self.daemons.values():
                daemon.kill()
            gc.collect()

    def say(self, what: str) -> None:
        """One more line of what happens."""
        if self._tell is None:
            return
        line = what.replace(str(self.world.folder), "…")
        self._tell(f"{self.world.now():%d %H:%M:%S.%f} {line}")

    def later(self, seconds: float, remedy: Callable[[], object]) -> None:
        """Do something then, if the history is not over by then."""
        self.world.clock.callLater(seconds, lambda: self.is_over or remedy())

    def trouble(self, seconds: float, remedy: Callable[[], object]) -> None:
        """A trouble that has begun ends then; and it is not quiet before."""
        self._troubles += 1

        def end() -> None:
            remedy()
            self._troubles -= 1
            self._quiet_since = self.world.clock.seconds()

        self.later(seconds, end)

    def start(self, name: str) -> None:
        """Start a daemon, as soon as that is possible, if nobody has done so, and its machine is there."""
        if name not in self._names() or (name in self.daemons and not self.daemons[name].is_dead):
            return
        try:
            daemon = self._started(name)
        except OSError as error:
            self.say(f"{name} cannot start: {error.strerror}")
            self.later(MINUTE, lambda: self.start(name))
            return
        self.say(f"{name} starts")
        daemon.published = self._note_published
        self.daemons[name] = daemon
        self._started_at[daemon] = self.world.clock.seconds()

    def replace(self) -> str:
        """A new document; not while the clock is behind what has been settled already."""
        now = self.world.now()
        if now <= self.latest:
            return "no document, as the clock is behind"
        current = [life.now for life in self.lives.values() if life.now is not None]
        wanted = any_document(self.chance, list(self.lives), current, now)
        self._put(wanted)
        return f"a document with {len(wanted)} jobs"

    def _names(self) -> tuple[str, ...]:
        if self.all_in_one:
            return ("cronq",)
        return ("injector 1", "injector 2", "results 1", "results 2", *self.machines)

    def _started(self, name: str) -> Process:
        kind = name.split(maxsplit=1)[0]
        if kind == "cronq":
            return self.world.start_all_in_one(LOOKS_EVERY, LOOKS_EVERY)
        if kind == "injector":
            return self.world.start_injector(name, 600.0, LOOKS_EVERY, LOOKS_EVERY)
        if kind == "results":
            return self.world.start_results(name)
        return self.world.start_runner(name, machine=self.machines[name])

    def _pause(self) -> float:
        """To anywhere, or to just before a minute, as most things happen at the beginning of one."""
        pause = self.chance.expovariate(1 / self._between)
        if self.chance.random() < 0.7:
            at = self.world.clock.seconds() + pause
            pause += MINUTE - at % MINUTE - 0.001
        return pause

    def _strike(self) -> None:
        if self.is_over:
            return
        self._quiet_since = self.world.clock.seconds()
        (fault,) = self.chance.choices(list(self._faults), list(self._faults.values()))
        what = fault(self)
        self.faults[fault.__name__.replace("_", " ")] += 1
        self.say(f"* {what}")

    def _put(self, wanted: tuple[JobDefinition, ...]) -> None:
        self.world.put(*wanted)
        found = {job.name: job for job in wanted}
        for name, life in self.lives.items():
            life.change(found.get(name), self.world.now())

    def _heal(self) -> None:
        """All trouble ends, nothing is due any more, and what there is comes to its end."""
        self.is_over = True
        self.say("all is mended")
        self.disk.full.clear()
        self.world.database_up()
        self.world.forget_commits()
        self.world.broker.up()
        for name, daemon in list(self.daemons.items()):
            daemon.restore()
            daemon.restore_database()
            daemon.thaw()
            self.start(name)
        while self.world.now() <= self.latest:
            self.world.run_for(600.0)
        self.world.run_for(2.0)
        self._put(())
        end = self.world.clock.seconds() + HEALED_AFTER
        while self._is_open() and self.world.clock.seconds() < end:
            self.world.run_for(600.0)
            for name in self._names():
                self.start(name)  # who was stopping still
        self.world.run_for(LOST_AFTER)

    def _collect_garbage(self) -> None:
        """Twisted tells of an unheeded failure when it is collected: so this has its time, too."""
        if self.faults.total() % FAULTS_TO_COLLECT == 0:
            gc.collect()

    def _is_open(self) -> bool:
        is_open = runs.c.status.in_(["queued", "running"])
        return bool(self.world.rows(select(runs.c.id).where(is_open).limit(1)))

    def _note_published(self, message: Message) -> None:
        # RabbitMQ would give nobody a heartbeat twice: their queues are gone with the connection.
        if message.routing_key != HEARTBEATS:
            self.seen.append(message)

    def _note_start(self, start: Started) -> None:
        job, slot, attempt = (start.environment[f"CRONQ_{key}"] for key in ("JOB_NAME", "SLOT", "ATTEMPT"))
        self.say(f"{job}, slot {slot or 'by hand'}, attempt {attempt}: run {start.run_id} starts")
        start.command.ended.addCallback(self._note_end, start)
        running = self.world.launcher.running_ids()
        self.running_at[start.run_id] = [each for each in running if each != start.run_id]
        if int(attempt) > 1:
            places = self.world.launcher.places
            here, is_quiet = places[start.run_id], self._is_quiet()
            self.beside[start.run_id] = [
                each for each in running if places[each] == here or (is_quiet and self._is_back(each))
            ]

    def _note_end(self, ended: Any, start: Started) -> Any:
        self.say(f"run {start.run_id} ends with {ended.return_code}")
        for daemon in self.daemons.values():
            if isinstance(daemon, RunnerProcess) and daemon.is_draining(start.run_id):
                self.ended_in_drain.add(start.run_id)
        return ended

    def _is_quiet(self) -> bool:
        return not self._troubles and self.world.clock.seconds() - self._quiet_since >= QUIET

    def _is_back(self, run_id: str) -> bool:
        """Whether somebody is at the place where this was started, and has been for long."""
        machine = self.world.launcher.places.get(run_id)
        long_ago = self.world.clock.seconds() - QUIET
        return any(
            isinstance(daemon, RunnerProcess)
            and daemon.machine == machine
            and not daemon.is_dead
            and daemon.services[0].running
            and self._started_at[daemon] < long_ago
            for daemon in self.daemons.values()
        )

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """What the daemons say is told, too; tracebacks are kept."""
        observer = cast("ILogObserver", self._listen)
        globalLogPublisher.addObserver(observer)
        try:
            yield
        finally:
            globalLogPublisher.removeObserver(observer)

    def _listen(self, event: LogEvent) -> None:
        if "log_failure" in event:
            self.broken.append(f"{formatEvent(event)}: {event['log_failure'].getTraceback()}")
        if self._tell is not None and event.get("log_level", LogLevel.info) >= LogLevel.info:
            self.say(f"    {formatEvent(event)}")
