"""A private MariaDB: files of its own, a loopback port of its own, root without a password."""

import itertools
import os
import subprocess
from typing import Any
from urllib.parse import urlsplit

import pymysql

from tests.servers.sandbox import free_port
from tests.servers.server import Server, ServerFailed, base_environment, program

_PACKAGE = "mariadb-server"


class MariaDB(Server):
    """MariaDB that writes each commit to disk, as in production; `new_database` gives each test its own."""

    def __init__(self, *options: str) -> None:
        super().__init__("mariadb")
        self.port = free_port()
        self._options = options
        self._databases = itertools.count(1)
        self._data = self.folder / "data"

    @property
    def url(self) -> str:
        return self._url("cronq")

    def _url(self, database: str) -> str:
        return f"mysql+pymysql://root@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start the server, at the first time with new files and the empty database `cronq`."""
        new = not self._data.exists()
        if new:
            self._initialise()
        super().start()
        if new:
            self.execute("CREATE DATABASE cronq CHARACTER SET utf8mb4")

    def _initialise(self) -> None:
        made = subprocess.run(
            [
                program("mariadb-install-db", _PACKAGE),
                "--no-defaults",
                f"--datadir={self._data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *_as_root(),
            ],
            env=base_environment(self.folder),
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise ServerFailed(f"mariadb-install-db failed:\n{made.stdout}{made.stderr}")

    def _command(self) -> list[str]:
        return [
            program("mariadbd", _PACKAGE),
            "--no-defaults",
            f"--datadir={self._data}",
            f"--tmpdir={self.folder}",  # a server cleans up there when it starts, and /tmp is others' too
            # Relative to the data: the kernel allows a socket's path 107 bytes only.
            "--socket=socket",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--character-set-server=utf8mb4",
            "--innodb-flush-log-at-trx-commit=1",
            *_as_root(),
            *self._options,
        ]

    def _environment(self) -> dict[str, str]:
        return {}

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except pymysql.err.OperationalError:
            return False
        return True

    def new_database(self) -> str:
        """The URL of a new and empty database."""
        name = f"test_{next(self._databases)}"
        self.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return self._url(name)

    def drop_database(self, url: str) -> None:
        """Remove a database; waits for the transactions in it to end."""
        self.execute(f"DROP DATABASE {urlsplit(url).path[1:]}")

    def execute(self, statement: str, *values: object, url: str | None = None) -> list[tuple[Any, ...]]:
        """Carry out one statement, committed, in the database of `url` or in none; answers its rows."""
        database = urlsplit(url).path[1:] if url else None
        connection = pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            database=database,
            autocommit=True,
            charset="utf8mb4",
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []
