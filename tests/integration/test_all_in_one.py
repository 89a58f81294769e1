"""`twistd -n cronq`: all in one process, with a SQLite file and a broker of its own, killed and stopped."""

import json
import signal
import sqlite3
from contextlib import closing
from typing import Any

from tests.integration.installation import EVERY_SECOND, DaemonCase, job
from tests.servers import Daemon


class AllInOneTests(DaemonCase):
    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        path = self.folder / "state" / "cronq.sqlite"
        with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
            return connection.execute(statement.replace("%s", "?"), values).fetchall()

    def start_with(self, *jobs: dict[str, str]) -> Daemon:
        """Start it with a document that it loads at each start."""
        document = self.folder / "cronq.config"
        document.write_text(json.dumps({"category": "example", "jobs": jobs}))
        daemon = self.start("cronq", "--load", str(document), "--concurrency", "3")
        self.use_web(daemon)
        self.until(lambda: self.status() == "OK" and self.ask("/api/jobs").json["data"]["jobs"])
        return daemon

    def test_kills(self) -> None:
        """Killed with -9 again and again: nothing runs twice, and each slot has its row, with no gap."""
        names = [f"job {n}" for n in range(4)]
        daemon = self.start_with(*(job(name, f"{self.record()}; sleep 0.2", EVERY_SECOND) for name in names))
        for _ in range(5):
            before = len(self.recorded())
            self.until(lambda before=before: len(self.recorded()) >= before + 6)  # type: ignore[misc]
            daemon.kill()
            said = len(daemon.lines)
            daemon.start()
            self.use_web(daemon, after=said)
        before = len(self.recorded())
        self.until(lambda: len(self.recorded()) >= before + 6)
        self.put()
        self.until_over()
        self.assert_none_twice()
        for name in names:
            self.assert_accounted(name)

    def test_stopped(self) -> None:
        """Ctrl-C waits for the commands that run; their results are there, and it goes on where it was."""
        wait = 'while [ ! -e "$EVIDENCE/go" ]; do sleep 0.05; done'
        daemon = self.start_with(job("Long", f"{self.record()}; {wait}"))
        self.run_by_hand()
        self.until(self.recorded)
        daemon.signal(signal.SIGINT)
        daemon.wait_for_line("stopping: waiting for 1 commands")
        self.assertEqual(self.ask("/").status, 200)  # people may look on
        (self.evidence / "go").touch()
        self.assertEqual(daemon.wait(), 0)
        self.assertEqual(self.statuses(), ["succeeded"])
        said = len(daemon.lines)
        daemon.start()
        self.use_web(daemon, after=said)
        self.run_by_hand()
        self.until_all(2)
        self.assertEqual(self.job("Long")["last_run_status"], "succeeded")

    def test_stopped_twice(self) -> None:
        """Ctrl-C twice ends the commands, too, and says so in the ledger."""
        daemon = self.start_with(job("Long", f"{self.record()}; sleep 1000"))
        self.run_by_hand()
        self.until(self.recorded)
        for _ in range(2):
            daemon.signal(signal.SIGINT)
            daemon.wait_for_line("received SIGINT", after=len(daemon.lines) - 1)
        self.assertEqual(daemon.wait(), 0)
        self.assertEqual(self.runs(), [("killed", "its runner was stopped")])
        self.assertEqual(daemon.processes(), [])

    def test_everything_in_its_folder(self) -> None:
        """It keeps all that it has to remember in the folders that it is given."""
        self.start_with(job("Tidy", "echo x"))
        self.run_by_hand()
        self.until_all(1)
        self.end_all()
        runner = {"state/runners/home", "state/runners/1/lock", "state/runners/1/notes"}
        self.assertEqual(self.files(), {"cronq.config", "log/Tidy.log", "state/cronq.sqlite"} | runner)
