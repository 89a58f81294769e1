"""Private servers, and the daemons of cronq as users run them."""

import atexit
import functools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pymysql

from bench.use import Use, use_of, use_of_all
from tests.servers import ROOT, MariaDB, rabbitmq, sandbox
from tests.servers.server import base_environment

BUFFER_POOL = "--innodb-buffer-pool-size=1G"
"""As an operator gives it to a database of some size; 128 MiB, the default, do not hold a million jobs."""

_PATIENCE = 1200.0


@functools.cache
def database_server() -> MariaDB:
    """The MariaDB of this run, which flushes its log at each commit."""
    server = MariaDB(BUFFER_POOL)
    server.start()
    atexit.register(server.discard)
    return server


def wait_until(condition: Callable[[], Any], pause: float = 0.02) -> None:
    """Return when the condition holds. Raises TimeoutError after twenty minutes."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("it takes too long")
        time.sleep(pause)


class Daemon:
    """`twistd -n NAME` with its log in a file, as an operator starts it; or another program."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *command: str) -> None:
        self.folder = folder
        self._name = " ".join(command)
        with (folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [Path(sys.executable).with_name(command[0]), *command[1:]],
                cwd=folder,
                env=base_environment(folder) | {"PYTHONPATH": str(ROOT)} | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def use(self) -> Use:
        """What it has used since it began."""
        return use_of(self.pid)

    @property
    def said(self) -> str:
        """All that it has written, to its log and elsewhere."""
        return "".join(
            path.read_text(errors="replace")
            for path in (self.folder / "output", self.folder / "log.txt")
            if path.exists()
        )

    @property
    def running(self) -> bool:
        """True; RuntimeError with what it has written when it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"{self._name} has ended:\n{self.said}")
        return True

    def wait_for(self, text: str) -> None:
        """Return when it has written this text. Raises RuntimeError when it ends without."""
        wait_until(lambda: text in self.said or not self.running)

    def wait(self) -> None:
        """Return when it has ended. Raises RuntimeError with what it has written when it failed."""
        if self._process.wait(_PATIENCE) != 0:
            raise RuntimeError(f"{self._name} failed:\n{self.said}")

    def stop(self) -> None:
        """End it in good order."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)


class Installation:
    """A new database and a new vhost, and daemons that use them; a context manager."""

    def __init__(self) -> None:
        self._server = database_server()
        self.database_url = self._server.new_database()
        self.broker_url = rabbitmq().new_vhost()
        self.daemons: dict[str, Daemon] = {}
        self.connection = self.connect()

    def __enter__(self) -> "Installation":
        return self

    def __exit__(self, *error: object) -> None:
        self.stop(*self.daemons)
        self.connection.close()
        self._server.drop_database(self.database_url)
        rabbitmq().drop_vhost(self.broker_url)

    def start(self, name: str, *options: str, label: str = "", **environment: str) -> Daemon:
        """Start a daemon of cronq; `label` tells several of a name apart."""
        folder = sandbox().new_folder(name)
        usual = {
            "DATABASE_URL": self.database_url,
            "RABBITMQ_URL": self.broker_url,
            "CRONQ_STATE_PATH": f"{folder}/state",
            "LOG_PATH": str(folder),
        }
        twistd = ("twistd", "--nodaemon", "--pidfile=", f"--logfile={folder}/log.txt")
        daemon = Daemon(folder, usual | environment, *twistd, name, *options)
        self.daemons[label or name] = daemon
        return daemon

    def start_injectors(self, count: int) -> list[str]:
        """Start so many, and return their labels when all of them are connected."""
        labels = [f"injector {number}" for number in range(1, count + 1)]
        for daemon in [self.start("cronq-injector", label=label) for label in labels]:
            daemon.wait_for("connected to the broker")
        return labels

    def stop(self, *labels: str) -> None:
        """End daemons in good order."""
        for label in labels:
            self.daemons.pop(label).stop()

    def make_tables(self) -> None:
        """Have an injector make the tables, and end it."""
        self.start("cronq-injector", label="tables")
        self.daemons["tables"].wait_for("connected to the broker")
        wait_until(lambda: self.has_table("runners"))
        self.stop("tables")

    def has_table(self, name: str) -> bool:
        """Whether it has been made."""
        return len(self.sql("SHOW TABLES LIKE %s", name)) > 0

    def start_runner(self, concurrency: int, label: str = "cronq-runner") -> Daemon:
        """Start a runner, and return when it has been heard of."""
        daemon = self.start("cronq-runner", "--concurrency", str(concurrency), label=label)
        wait_until(lambda: daemon.running and self.sql("SELECT 1 FROM runners WHERE status = 'up'"))
        return daemon

    def connect(self) -> "pymysql.Connection[Any]":
        """A connection to the database of one's own."""
        return pymysql.connect(
            host="127.0.0.1",
            port=self._server.port,
            user="root",
            database=self.database_url.rpartition("/")[2],
            autocommit=True,
            charset="utf8mb4",
        )

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """What the database says."""
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def value(self, statement: str, *values: object) -> Any:
        """The one value that the database says."""
        ((found,),) = self.sql(statement, *values)
        return found

    def wait_for_runs(self, count: int) -> None:
        """Return when so many runs have ended and are recorded."""
        wait_until(lambda: self.value("SELECT COUNT(recorded_at) FROM runs") == count, 0.25)

    def uses(self) -> dict[str, Use]:
        """What each daemon and each server has used so far."""
        servers = {"MariaDB": self._server.folder, "RabbitMQ": rabbitmq().folder}
        return {name: daemon.use for name, daemon in self.daemons.items()} | {
            name: use_of_all(folder) for name, folder in servers.items()
        }


def utc_now() -> datetime:
    """The time, as the database has it."""
    return datetime.now(UTC).replace(tzinfo=None)


def soon(seconds: float = 3.0) -> datetime:
    """The next full second that lies at least so far ahead."""
    return (utc_now() + timedelta(seconds=seconds + 1)).replace(microsecond=0)


def seconds_between(first: datetime, last: datetime) -> float:
    """How long it is from one to the other."""
    return (last - first).total_seconds()
