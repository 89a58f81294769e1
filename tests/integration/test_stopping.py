"""Daemons that are stopped while they have something in hand: once, twice, and three times."""

import signal
import threading
from typing import Any
from urllib.parse import urlsplit

import pymysql

from tests.integration.installation import Answer, InstallationCase, job
from tests.servers import Daemon

STARTING = b"""{"job_id": 1, "run_id": "00000000000000000000000000000001", "type": "starting", "x-host": "h",
"x-send-datetime": "2026-01-01 00:00:00.000000", "start_time": "2026-01-01 00:00:00.000000"}"""


class BusyTests(InstallationCase):
    """An injector, results and a web in the middle of a transaction, which somebody else's lock holds up."""

    def setUp(self) -> None:
        super().setUp()
        injector, results, _, web = self.start_all()
        self.busy = injector, results, web
        self.put(job("Busy", self.record()))
        self.lock = self.somebody().cursor()
        self.lock.execute("LOCK TABLES jobs WRITE, runs WRITE, categories WRITE, events WRITE")
        self.answers: list[Answer | OSError] = []
        self.asking = threading.Thread(target=self.ask_for_page)
        self.asking.start()
        self.addCleanup(self.asking.join)
        self.publish("cronq_results", STARTING)
        self.until(lambda: self.held_up() >= 3)
        for daemon in self.busy:
            daemon.signal(signal.SIGTERM)
            daemon.wait_for_line("received SIGTERM: stopping in good order")

    def somebody(self) -> Any:
        """A connection of a person at a prompt."""
        name = urlsplit(self.database_url).path[1:]
        connection = pymysql.connect(host="127.0.0.1", port=self.database.port, user="root", database=name)
        self.addCleanup(connection.close)
        return connection

    def ask_for_page(self) -> None:
        try:
            self.answers.append(self.ask("/"))
        except OSError as error:
            self.answers.append(error)

    def held_up(self) -> int:
        """How many transactions wait for the lock."""
        rows = self.sql(
            "SELECT COUNT(*) FROM information_schema.processlist"
            " WHERE db = DATABASE() AND state LIKE 'Waiting for table%'"
        )
        return int(rows[0][0])

    def test_once(self) -> None:
        """What is in hand is finished: the page is sent, the report is recorded, all end well."""
        self.assertTrue(all(daemon.running for daemon in self.busy))
        self.lock.execute("UNLOCK TABLES")
        self.assertEqual([daemon.wait() for daemon in self.busy], [0, 0, 0])
        self.asking.join()
        (answer,) = self.answers
        assert isinstance(answer, Answer), answer
        self.assertEqual(answer.status, 200)
        self.assertIn("Busy", answer.text)
        self.assertEqual(self.sql("SELECT type FROM events"), [("starting",)])

    def test_twice(self) -> None:
        """A second signal ends each at once; the report comes again to the next that asks for it."""
        for daemon in self.busy:
            daemon.signal(signal.SIGTERM)
            self.assertEqual(daemon.wait(), 1)
            daemon.wait_for_line("received SIGTERM: ending at once")
        self.asking.join()
        self.assertIsInstance(self.answers[0], OSError)
        self.lock.execute("UNLOCK TABLES")
        self.start_all("cronq-results", "cronq-web")
        self.until(lambda: self.sql("SELECT type FROM events") == [("starting",)])


class RunnerTests(InstallationCase):
    """A runner while a command runs."""

    def begin(self, runner: Daemon, command: str, name: str) -> None:
        """Have a command run, and stop its runner once."""
        self.put(job(name, f"{self.record(name)}; {command}"))
        self.run_by_hand()
        self.until(lambda: self.recorded(name))
        runner.signal(signal.SIGTERM)
        runner.wait_for_line("received SIGTERM: stopping in good order", after=len(runner.lines) - 2)
        runner.wait_for_line("stopping: waiting for 1 commands", after=len(runner.lines) - 2)

    def start_again(self, runner: Daemon) -> None:
        """Start a runner after its end, and wait until it works."""
        before = len(runner.lines)
        runner.start()
        runner.wait_for_line("connected to the broker", after=before)

    def test_signals(self) -> None:
        """Once: commands end by themselves. Twice: they are ended. Three times: the runner just ends."""
        _, _, runner, _ = self.start_all()
        self.drained(runner)
        self.start_again(runner)
        self.killed(runner)
        self.start_again(runner)
        self.abandoned(runner)
        self.start_again(runner)
        self.until_all(1, "lost", "abandoned")
        self.assertIn("its command was still running and was ended", self.runs("abandoned")[0][1] or "")
        self.assertEqual([len(self.recorded(name)) for name in ("drained", "killed", "abandoned")], [1] * 3)

    def drained(self, runner: Daemon) -> None:
        self.begin(runner, 'while [ ! -e "$EVIDENCE/go" ]; do sleep 0.05; done; echo done', "drained")
        self.assertTrue(runner.running)
        (self.evidence / "go").touch()
        self.assertEqual(runner.wait(), 0)
        self.until_all(1, "succeeded", "drained")
        self.assertEqual(self.log("drained").read_text(), "done\n")

    def killed(self, runner: Daemon) -> None:
        self.begin(runner, "sleep 1000", "killed")
        runner.signal(signal.SIGINT)
        self.assertEqual(runner.wait(), 0)
        self.until(lambda: self.runs("killed") == [("killed", "its runner was stopped")])

    def abandoned(self, runner: Daemon) -> None:
        self.begin(runner, "trap '' TERM; while :; do sleep 0.1; done", "abandoned")
        runner.signal(signal.SIGTERM)
        runner.wait_for_line("ending what still runs", after=len(runner.lines) - 2)
        runner.signal(signal.SIGTERM)
        self.assertEqual(runner.wait(), 1)
        self.assertEqual(self.statuses("abandoned"), ["running"])


class DrainTests(InstallationCase):
    """A runner that is told to drain over HTTP."""

    def runners(self) -> dict[str, str]:
        """The status of each runner, by id."""
        return {each["id"]: each["status"] for each in self.ask("/api/runners").json["data"]["runners"]}

    def test_drain(self) -> None:
        """It finishes what it has, takes nothing new, and ends with 0; another one goes on."""
        _, _, runner, _ = self.start_all()
        self.put(job("held", f'{self.record("held")}; while [ ! -e "$EVIDENCE/go" ]; do sleep 0.05; done'))
        self.run_by_hand()
        self.until(lambda: self.recorded("held"))
        self.until(lambda: list(self.runners().values()) == ["up"])
        (name,) = self.runners()
        (held,) = self.ask(f"/api/runners/{name}").json["data"]["runner"]["runs"]
        self.assertEqual(([held["id"]], held["name"]), (self.recorded("held"), "held"))
        self.assertEqual(self.ask(f"/api/runners/{name}/drain", b"").status, 200)
        self.until(lambda: self.runners() == {name: "draining"})
        self.put(job("next", self.record("next")), category="other")
        self.run_by_hand("next")
        self.until(lambda: self.statuses("next") == ["queued"])
        (self.evidence / "go").touch()
        self.assertEqual(runner.wait(), 0)
        self.until(lambda: self.runners() == {name: "stopped"})
        self.assertEqual((self.statuses("held"), self.recorded("next")), (["succeeded"], []))
        self.assertIn("has stopped already", self.ask(f"/api/runners/{name}/drain", b"").text)
        self.start("cronq-runner")
        self.until_all(1, "succeeded", "next")
