"""A history: cronq lives for some days under one clock, and chance has it in for it."""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from cronq.broker.interface import DEFAULT_ROUTING_KEY, JOBS, Message
from cronq.database.jobs import request_run
from cronq.database.orders import order_drain
from cronq.database.tables import jobs, runs
from cronq.domain.jobs import JobDefinition
from tests.services.process import Process
from tests.services.world import RunnerProcess, World
from tests.simulation.jobs import NAMES, Life, any_document

DAY = 86_400.0
MINUTE = 60.0
#: Seconds from fault to fault, on average.
BETWEEN_FAULTS = 900.0
HEARTBEATS, LOST_AFTER = 300.0, 1200.0
#: Seconds that may pass after the last fault until all is over.
HEALED_AFTER = 40 * 3600.0


class History:
    """Daemons, and faults that befall them; every fault is over by itself after a while."""

    def __init__(self, seed: int, days: float, folder: Path, chance: random.Random) -> None:
        self.seed = seed
        self.world = World(folder, HEARTBEATS, LOST_AFTER)
        self.chance = chance
        self.faults: Counter[str] = Counter()
        #: What happened, in words, for who looks for the cause of a finding.
        self.told: list[str] = []
        self.lives = {name: Life() for name in NAMES}
        self.asked = 0
        self.vanished: set[str] = set()
        self._end = days * DAY
        self._latest = datetime.min
        self._daemons: dict[str, Process] = {}
        self._machines = 3
        self._is_over = False
        self._seen: list[bytes] = []

    def live(self) -> None:
        """Live through all of it, heal, and let all come to its end."""
        for kind in (
            "injector 1",
            "injector 2",
            "results 1",
            "results 2",
            "runner 1",
            "runner 2",
            "runner 3",
        ):
            self._start(kind)
        self._replace()
        while self.world.clock.seconds() < self._end:
            self.world.run_for(self._pause())
            self.world.clock.after_turns(self.chance.randint(1, 60), self._strike)
            self.world.run_for(1.0)
        self._heal()

    def _pause(self) -> float:
        """To anywhere, or to just before a minute, as most things happen at the beginning of one."""
        pause = self.chance.expovariate(1 / BETWEEN_FAULTS)
        if self.chance.random() < 0.7:
            at = self.world.clock.seconds() + pause
            pause += MINUTE - at % MINUTE - 0.001
        return pause

    def _strike(self) -> None:
        if self._is_over:
            return
        fault: Callable[[], str] = self.chance.choice(self._all_faults())
        what = fault()
        self.faults[fault.__name__.strip("_")] += 1
        self.told.append(f"{self.world.now():%d %H:%M:%S} {what}")

    def _all_faults(self) -> list[Callable[[], str]]:
        return [
            self._kill, self._kill, self._freeze, self._freeze, self._cut, self._cut, self._stop, self._drain,
            self._vanish, self._kill_all, self._broker_away, self._purge, self._double, self._database_away,
            self._database_hangs, self._commit_fails, self._commit_fails, self._clock_jumps, self._replace,
            self._replace, self._replace, self._ask,
        ]  # fmt: skip

    def _any(self, prefix: str = "") -> str:
        return self.chance.choice(sorted(name for name in self._daemons if name.startswith(prefix)))

    def _span(self) -> float:
        """Seconds that a trouble lasts: often short, at times longer than anyone is waited for."""
        return self.chance.choice((0.0, 1.0, 15.0, 90.0, 700.0, 2500.0, 8000.0)) * self.chance.random()

    def _later(self, seconds: float, remedy: Callable[[], object]) -> None:
        self.world.clock.callLater(seconds, lambda: self._is_over or remedy())

    def _start(self, name: str) -> None:
        start: dict[str, Callable[[str], Process]] = {
            "injector": lambda name: self.world.start_injector(name, 600.0, 60.0, 60.0),
            "results": self.world.start_results,
            "runner": self.world.start_runner,
        }
        self._daemons[name] = start[name.split(maxsplit=1)[0]](name)

    def _kill(self) -> str:
        return self._kill_one(self._any())

    def _kill_one(self, name: str) -> str:
        seconds = self._span()
        self._daemons[name].kill()
        self._later(seconds, lambda: self._restart(name))
        return f"kill {name}, for {seconds:.0f} s"

    def _restart(self, name: str) -> None:
        if name in self._daemons and self._daemons[name].is_dead:
            self._start(name)

    def _kill_all(self) -> str:
        return "; ".join(self._kill_one(name) for name in sorted(self._daemons))

    def _freeze(self) -> str:
        name, seconds = self._any(), self._span()
        daemon = self._daemons[name]
        daemon.freeze()
        self._later(seconds, daemon.thaw)
        return f"freeze {name} for {seconds:.0f} s"

    def _cut(self) -> str:
        name, seconds = self._any(), self._span()
        daemon = self._daemons[name]
        daemon.cut()
        self._later(seconds, daemon.restore)
        return f"cut off {name} for {seconds:.0f} s"

    def _stop(self) -> str:
        name = self._any()
        self._stop_and_start(name)
        return f"stop {name}"

    def _stop_and_start(self, name: str) -> None:
        daemon = self._daemons[name]
        if not daemon.is_dead:
            daemon.stop().addCallback(lambda _: self._start_after(name, daemon))

    def _start_after(self, name: str, stopped: Process) -> None:
        if self._daemons.get(name) is stopped:
            self._start(name)

    def _drain(self) -> str:
        name = self._any("runner")
        runner = self._daemons[name]
        assert isinstance(runner, RunnerProcess)
        self.world.do(order_drain, runner.identity.runner, "chance wants it")
        self._later(4000.0, lambda: self._daemons.get(name) is runner and self._kill_one(name))
        return f"order {name} to drain, and kill it later"

    def _vanish(self) -> str:
        """A machine is gone for good, and another one takes its place."""
        name = self._any("runner")
        runner = self._daemons.pop(name)
        assert isinstance(runner, RunnerProcess)
        for start in self.world.launcher.started:
            if start.command.runs and self.world.launcher.places[start.run_id] == name:
                start.command.vanish()
        runner.kill()
        self.vanished.add(name)
        self._machines += 1
        self._start(f"runner {self._machines}")
        return f"the machine of {name} vanishes; runner {self._machines} is new"

    def _broker_away(self) -> str:
        seconds = self._span()
        self.world.broker.down()
        self._later(seconds, self.world.broker.up)
        return f"broker away for {seconds:.0f} s"

    def _purge(self) -> str:
        count = len(self.world.broker.messages(JOBS))
        self.world.broker.purge(JOBS)
        return f"the broker forgets {count} job messages"

    def _double(self) -> str:
        """Messages come again that are in the queue, or were there some time ago."""
        self._seen = (self._seen + self.world.broker.messages(JOBS))[-50:]
        again = self.chance.sample(self._seen, min(3, len(self._seen)))
        for body in again:
            self._publish(body)
        return f"{len(again)} job messages come again"

    def _publish(self, body: bytes) -> None:
        stranger = self.world.broker.connect("stranger")
        stranger.startService()
        message = Message(DEFAULT_ROUTING_KEY, body, "again")
        self._later(0.1, lambda: stranger.publish(message).addErrback(lambda _: None))
        self._later(1.0, stranger.stopService)

    def _database_away(self) -> str:
        seconds = self._span()
        self.world.database_down()
        self._later(seconds, self.world.database_up)
        return f"database away for {seconds:.0f} s"

    def _database_hangs(self) -> str:
        seconds = self._span()
        self.world.database_hangs()
        self._later(seconds, self.world.database_up)
        return f"database hangs for {seconds:.0f} s"

    def _commit_fails(self) -> str:
        after, committed = self.chance.randint(0, 6), self.chance.random() < 0.5
        self.world.fail_commit(after, committed=committed)
        return f"the commit after {after} more fails, {'done' if committed else 'undone'} all the same"

    def _clock_jumps(self) -> str:
        seconds = self.chance.choice((-1, 1, 1)) * self._span()
        self._latest = max(self._latest, self.world.now())
        self.world.jump(seconds)
        return f"all clocks jump by {seconds:.0f} s"

    def _replace(self) -> str:
        """A new document; not while the clock is behind what has been settled already."""
        now = self.world.now()
        if now <= self._latest:
            return "no document, as the clock is behind"
        current = [life.now for life in self.lives.values() if life.now is not None]
        wanted = any_document(self.chance, current, now)
        self._put(wanted)
        return f"a document with {len(wanted)} jobs"

    def _put(self, wanted: tuple[JobDefinition, ...]) -> None:
        self.world.put(*wanted)
        found = {job.name: job for job in wanted}
        for name, life in self.lives.items():
            life.change(found.get(name), self.world.now())

    def _ask(self) -> str:
        ids = [row.id for row in self.world.rows(select(jobs.c.id).where(jobs.c.removed_at.is_(None)))]
        if not ids:
            return "nobody to ask"
        job_id = self.chance.choice(ids)
        self.world.do(request_run, job_id)
        self.asked += 1
        return f"job {job_id} is asked to run"

    def _heal(self) -> None:
        """All trouble ends, nothing is due any more, and what there is comes to its end."""
        self._is_over = True
        self.told.append(f"{self.world.now():%d %H:%M:%S} all is mended")
        self.world.database_up()
        self.world._database_trouble.clear()
        self.world.broker.up()
        for name, daemon in list(self._daemons.items()):
            daemon.restore()
            daemon.thaw()
            if daemon.is_dead or not daemon.services[0].running:
                self._start(name)
        while self.world.now() <= self._latest:
            self.world.run_for(600.0)
        self.world.run_for(2.0)
        self._put(())
        end = self.world.clock.seconds() + HEALED_AFTER
        while self._open() and self.world.clock.seconds() < end:
            self.world.run_for(600.0)
        self.world.run_for(LOST_AFTER)

    def _open(self) -> bool:
        is_open = runs.c.status.in_(["queued", "running"])
        return bool(self.world.rows(select(runs.c.id).where(is_open).limit(1)))
