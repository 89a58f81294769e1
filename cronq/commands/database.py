"""The database of a daemon: its setting and its threads. A runner has none, and does without SQLAlchemy."""

from typing import Any

from sqlalchemy.exc import ArgumentError
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.python.threadpool import ThreadPool

from cronq.commands.common import in_reactor_threads
from cronq.commands.settings import Setting
from cronq.database.gateway import POOL_SIZE, Database, in_pool, make_engine


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
