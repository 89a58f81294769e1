"""A whole installation, each connection of it by a wire of its own, and what is left of it at the end."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.integration.chaos.author import Author
from tests.integration.chaos.plan import DAEMONS, Plan, daemons, wire, wires
from tests.integration.chaos.trouble import Troublemaker
from tests.integration.chaos.verdict import Evidence, Row
from tests.integration.chaos.workload import Ran, read_line
from tests.integration.installation import InstallationCase
from tests.integration.test_weather import victims
from tests.servers import ROOT, Daemon, MariaDB, Proxy, RabbitMQ, free_port
from tests.servers.server import base_environment

HEARTBEAT = 3
"""Of the connections to the broker (seconds)."""

GOES_ON_FOR = 20.0
"""Seconds, at most, that jobs go on after the trouble; then all are removed."""

DRAINED_WITHIN = 400.0
"""Seconds until a run that is still open stays so: more than the third pause of the republisher."""

_LEDGER = (
    "SELECT jobs.name, run_id, slot, last_slot, slots, attempt, status, reason, runner"
    " FROM runs LEFT JOIN jobs ON jobs.id = job_id ORDER BY runs.id"
)
_OPEN = "SELECT COUNT(*) FROM runs WHERE status IN ('queued', 'running')"


class ChaosCase(InstallationCase):
    """Two injectors, two results, three runners and a web."""

    def servers(self) -> tuple[RabbitMQ, MariaDB]:
        return victims()

    def setUp(self) -> None:
        super().setUp()
        self.wires: dict[str, Proxy] = {}
        for name, server in wires():
            made = Proxy(self.broker.port if server == "broker" else self.database.port)
            self.addCleanup(made.close)
            self.wires[wire(name, server)] = made
        self.by_name = {name: self.daemon_on_wires(name) for name in daemons()}

    def daemon_on_wires(self, name: str) -> Daemon:
        """A daemon whose connections lead through wires, with a state folder that it has to itself."""
        environment = {
            "CRONQ_CONCURRENCY": "4",
            "CRONQ_DRAIN_SECONDS": "5",
            "CRONQ_STATE_PATH": f"{self.folder}/state of {name}",
            "PORT": str(free_port()),
        }
        if to_broker := self.wires.get(wire(name, "broker")):
            environment["RABBITMQ_URL"] = f"{to_broker.url(self.broker_url)}?heartbeat={HEARTBEAT}"
        if to_database := self.wires.get(wire(name, "database")):
            environment["DATABASE_URL"] = to_database.url(self.database_url)
        return self.daemon(f"cronq-{name.split(maxsplit=1)[0]}", **environment)

    def start_everything(self) -> None:
        """Start all daemons; returns when they do their work."""
        for each in self.by_name.values():
            each.start()
        self.use_web(self.by_name["web 1"])
        self.until(lambda: self.status() == "OK")
        self.until(lambda: len(self.runner_ids()) == DAEMONS["runner"])

    def endure(self, plan: Plan, tell: Callable[[str], None]) -> tuple[Author, Troublemaker]:
        """Carry out the whole plan; all is mended and drained when this returns."""
        author = Author(self.web_url, tell)
        for each in plan.first:
            author.replace(each.category, each.jobs)
        self.until(lambda: len(list(self.evidence.iterdir())) > len(plan.first))
        victims: dict[str, Daemon | RabbitMQ | MariaDB | Proxy] = {**self.by_name, **self.wires}
        trouble = Troublemaker(victims | {"broker": self.broker, "database": self.database}, tell)
        with ThreadPoolExecutor(1) as pen:
            writing = pen.submit(author.carry_out, plan.changes)
            try:
                trouble.strike_all(plan.faults)
            finally:
                author.stop()
        writing.result()
        tell("all is mended")
        self.go_on(tell)
        for each in plan.first:
            author.replace(each.category, ())
        self.drain(tell)
        return author, trouble

    def go_on(self, tell: Callable[[str], None]) -> None:
        """Let the jobs run until what waited at the end of the trouble has had its turn, for a while."""
        ((mended,),) = self.sql("SELECT UTC_TIMESTAMP(6)")
        waiting = "SELECT COUNT(*) FROM runs WHERE status = 'queued' AND queued_at < %s"
        deadline = time.monotonic() + GOES_ON_FOR
        while (left := self.sql(waiting, mended)[0][0]) and time.monotonic() < deadline:
            tell(f"{left} runs of before are waiting")
            time.sleep(1)

    def drain(self, tell: Callable[[str], None]) -> None:
        """Wait until nothing is open any more, or for long; then end all in good order."""
        self.until(lambda: len(self.runner_ids()) == DAEMONS["runner"])
        deadline = time.monotonic() + DRAINED_WITHIN
        while (left := self.still_open()) and time.monotonic() < deadline:
            tell(f"{left} runs are open")
            time.sleep(1)
        # What the runners have to say last is in the queue when they have ended, and in the database when the
        # queue is empty and results, which finish what they have in hand, have ended as well.
        self.stop("injector", "runner")
        self.until(lambda: self.waiting("cronq_results") == 0)
        self.stop("results", "web")
        self.assertEqual(self.waiting("cronq_results"), 0)

    def still_open(self) -> int:
        """How many runs have not ended and still may."""
        ((count,),) = self.sql(_OPEN)
        return int(count)

    def stop(self, *roles: str) -> None:
        """SIGTERM to all daemons of these roles, and wait for their ends."""
        some = [each for name, each in self.by_name.items() if name.split(maxsplit=1)[0] in roles]
        for each in some:
            each.signal(signal.SIGTERM)
        for each in some:
            each.wait()

    def runner_ids(self) -> frozenset[str]:
        """The runners that are connected, by their private queues."""
        prefix = "cronq_runner."
        names = self.broker.queue_names(self.broker_url)
        return frozenset(name.removeprefix(prefix) for name in names if name.startswith(prefix))

    def end_all(self) -> None:
        """Leave nothing running and no file."""
        for each in self.daemons:
            each.discard()

    def tracebacks(self) -> list[str]:
        """Where daemons have met faults of their own."""
        return [
            "\n".join([f"{name} wrote:", *each.lines[number : number + 40]])
            for name, each in self.by_name.items()
            for number, line in enumerate(each.lines)
            if "Traceback" in line or "Unhandled" in line
        ]

    def keep(self, folder: Path) -> None:
        """Keep the logs of the daemons and the ledger for whoever wants to look into it."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, each in self.by_name.items():
            (folder / f"{name}.log").write_text(each.output)
        lines = ("\t".join(map(str, row)) for row in self.sql("SELECT * FROM runs ORDER BY id"))
        (folder / "runs").write_text("\n".join(lines))

    def audit(self) -> tuple[int, str]:
        """Exit code and output of cronq's own audit of the ledger."""
        program = [sys.executable, "-c", "from cronq.commands.cli import main; main()"]
        done = subprocess.run(
            [*program, "audit", "--database-url", self.database_url],
            env=base_environment(self.folder) | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return done.returncode, done.stdout + done.stderr

    def gathered(self, author: Author) -> Evidence:
        """All that is known when all is over."""
        rows = [Row(*values) for values in self.sql(_LEDGER)]
        return Evidence(author.replacements, author.asked, rows, self.ran())

    def ran(self) -> list[Ran]:
        """What the commands have written."""
        return [
            read_line(path.name, line)
            for path in sorted(self.evidence.iterdir())
            for line in path.read_text().splitlines()
        ]
