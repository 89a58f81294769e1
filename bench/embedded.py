"""The embedded installation: `twistd cronq`, with SQLite and the broker in memory."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from typing import Any

from bench.installation import Daemon, wait_until
from tests.servers import free_port, sandbox


class Embedded:
    """All of cronq in one process, with the jobs of one document; a context manager."""

    def __init__(self, jobs: Sequence[dict[str, str]], concurrency: int) -> None:
        self.folder = sandbox().new_folder("cronq")
        document = self.folder / "jobs.json"
        document.write_text(json.dumps({"category": "bench", "jobs": jobs}))
        self.port = free_port()
        options = {
            "--state-path": str(self.folder),
            "--log-path": str(self.folder),
            "--port": str(self.port),
            "--concurrency": str(concurrency),
            "--load": str(document),
        }
        twistd = ("twistd", "--nodaemon", "--pidfile=", f"--logfile={self.folder}/log.txt", "cronq")
        command = [*twistd, *(word for option in options.items() for word in option)]
        self.daemon = Daemon(self.folder, {}, *command)

    def __enter__(self) -> "Embedded":
        return self

    def __exit__(self, *error: object) -> None:
        self.daemon.stop()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database says, once it is there; before that, nothing."""
        path = self.folder / "cronq.sqlite"
        if not (self.daemon.running and path.exists()):
            return []
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
            try:
                return list(connection.execute(statement))
            except sqlite3.OperationalError:  # the tables are being made
                return []

    def wait_for_runs(self, count: int) -> None:
        """Return when so many runs have ended."""
        wait_until(lambda: self.sql("SELECT COUNT(recorded_at) FROM runs") >= [(count,)], 0.5)

    def instants(self, statement: str) -> list[datetime]:
        """The times in the one row that the database says."""
        return [datetime.fromisoformat(text) for text in self.sql(statement)[0]]
