"""What a daemon does with its database. A runner has none, and does without SQLAlchemy."""

import socket
from pathlib import Path
from typing import Any

from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool

from cronq import __version__
from cronq.broker.interface import Broker
from cronq.commands.common import identity, in_reactor_threads, is_dead
from cronq.commands.settings import Setting
from cronq.database.attendance import Attendee
from cronq.database.gateway import POOL_SIZE, Database, in_pool, make_engine
from cronq.domain.standing import DaemonKind
from cronq.services.attendance import Attendance
from cronq.services.tables import Tables


def database_url(value: str) -> str:
    """A database URL that can be used."""
    try:
        make_engine(value)
    except (ArgumentError, ValueError, ImportError) as error:
        raise ValueError(f"a database URL such as mysql+pymysql://user@host/cronq ({error})") from error
    return value


DATABASE_URL = Setting(
    "database_url",
    ("DATABASE_URL", "CRONQ_MYSQL"),
    database_url,
    "mysql+pymysql://root@localhost/cronq",
    "the database, as a SQLAlchemy URL",
    secret=True,
)


def sqlite_file(state_folder: Path) -> Path:
    """Where cronq all in one keeps its database."""
    return state_folder / "cronq.sqlite"


def sqlite_url(path: Path) -> str:
    """The URL of that file; quoted, as the name of a folder may hold what has a meaning in a URL."""
    return URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)


class DatabaseService(Service):
    """Owns the threads and connections of a database gateway."""

    def __init__(self, reactor: Any, url: str) -> None:
        self._reactor = reactor
        self._pool = ThreadPool(0, POOL_SIZE, "database")
        self.database = Database(make_engine(url), in_pool(reactor, self._pool), reactor)

    def startService(self) -> None:
        """Start the threads; connections come with their first use."""
        Service.startService(self)
        self._pool.start()

    def stopService(self) -> Deferred[None]:
        """Fires when both have ended, which a database that does not answer can make long."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._end())

    async def _end(self) -> None:
        # Not in this thread, which has to listen for a second signal.
        await in_reactor_threads(self._reactor)(self._pool.stop)
        self.database.engine.dispose()


def attendance(
    kind: DaemonKind, database: Database, tables: Tables, broker: Broker, clock: Any
) -> Attendance:
    """The duty by which people see that a daemon of this process is up."""
    who = Attendee(kind, identity(), socket.gethostname(), __version__)
    return Attendance(database, tables, broker, clock, who, is_dead)
