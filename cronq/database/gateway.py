"""The one door to the database: a thread pool, short transactions, and errors that mean something."""

import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from cronq.database import faults
from cronq.database.conversions import CONVERSIONS
from cronq.database.faults import GaveWay

P = ParamSpec("P")
T = TypeVar("T")
RunInThread = Callable[..., Deferred[Any]]
ReadClock = Callable[[Connection], datetime]

POOL_SIZE = 4
DEADLOCK_RETRIES = 20
LONGEST_PAUSE = 0.5  # seconds, between two tries of a transaction
#: Seconds until a server that says nothing counts as gone: longer than it waits for a lock itself (50).
PATIENCE = 60


class Database:
    """Runs functions of `(connection, ...)` in transactions, away from the reactor's thread."""

    def __init__(
        self,
        engine: Engine,
        run_in_thread: RunInThread,
        clock: Any,
        read_clock: ReadClock | None = None,
    ) -> None:
        self.engine = engine
        self._run_in_thread = run_in_thread
        self._clock = clock
        self._read_clock = read_clock or server_time
        # SQLite has one writer at a time and makes the next sleep and look again; a lock wakes it at once.
        self._writing: Any = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    async def transact(self, function: Callable[Concatenate[Connection, P], T], *args: Any) -> T:
        """Run `function(connection, *args)` in a transaction and give what it returns.

        It is run again when the database gave it up for the sake of another transaction (a deadlock, a lock
        that took too long), so it must have no effect but on the database. Raises `DatabaseUnavailable` when
        the database does not answer; then the transaction may have been committed or not. Raises
        `NotStorable` when a value is refused.
        """
        for attempt in range(1, DEADLOCK_RETRIES):
            try:
                return await self._run(function, args, write=True)
            except GaveWay:
                await deferLater(self._clock, _pause(attempt), lambda: None)
        return await self._run(function, args, write=True)

    async def read(self, function: Callable[Concatenate[Connection, P], T], *args: Any) -> T:
        """Run a function that only reads; it sees one state of the database throughout."""
        return await self._run(function, args, write=False)

    async def _run(self, function: Callable[..., T], args: tuple[Any, ...], *, write: bool) -> T:
        with faults.translated(self.engine.url):
            result: T = await self._run_in_thread(self._call, function, args, write)
        return result

    def _call(self, function: Callable[..., T], args: tuple[Any, ...], write: bool) -> T:
        with self._writing if write else nullcontext():
            return _call(self.engine, self._read_clock, function, args, write=write)


def transact_here(engine: Engine, function: Callable[Concatenate[Connection, P], T], *args: Any) -> T:
    """What `Database.transact` does, for a program that may wait: in this thread, and with its errors."""
    for attempt in range(1, DEADLOCK_RETRIES):
        try:
            with faults.translated(engine.url):
                return _call(engine, server_time, function, args, write=True)
        except GaveWay:
            time.sleep(_pause(attempt))
    with faults.translated(engine.url):
        return _call(engine, server_time, function, args, write=True)


def read_here(engine: Engine, function: Callable[Concatenate[Connection, P], T], *args: Any) -> T:
    """What `Database.read` does, for a program that may wait: in this thread, and with its errors."""
    with faults.translated(engine.url):
        return _call(engine, server_time, function, args, write=False)


def _call(
    engine: Engine, read_clock: ReadClock, function: Callable[..., T], args: tuple[Any, ...], *, write: bool
) -> T:
    options = {"cronq_clock": read_clock, "cronq_write": write}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        return function(connection, *args)


def _pause(attempt: int) -> float:
    longest = min(LONGEST_PAUSE, 0.01 * 2**attempt)
    return random.uniform(0, longest)  # noqa: S311 (no secret)


def now(connection: Connection) -> datetime:
    """What the time is by the database's clock, which is the one that decides."""
    read_clock: ReadClock = connection.get_execution_options()["cronq_clock"]
    return read_clock(connection)


def server_time(connection: Connection) -> datetime:
    """UTC by the database server; SQLite's server is this machine."""
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC).replace(tzinfo=None)
    value: datetime = connection.exec_driver_sql("SELECT UTC_TIMESTAMP(6)").scalar_one()
    return value


def make_engine(url: str) -> Engine:
    """An engine for a database URL of SQLAlchemy; opens nothing yet.

    Raises `ValueError` with a sentence when the URL cannot be used.
    """
    parsed = _parsed(url)
    try:
        engine = create_engine(parsed, **_arguments(parsed))
    except (SQLAlchemyError, ImportError) as error:
        raise ValueError(f"{parsed.drivername} has no driver here: {error}") from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "do_connect", _create_sqlite)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_mysql)
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (SQLAlchemyError, ValueError) as error:
        raise ValueError("it is no URL such as mysql://user:password@host:3306/cronq") from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return parsed
    if backend not in {"mysql", "mariadb"}:
        raise ValueError(f"{parsed.drivername} is no database that cronq knows")
    if parsed.drivername == backend:
        parsed = parsed.set(drivername=f"{backend}+pymysql")
    return parsed.update_query_dict({"charset": "utf8mb4"})


def _arguments(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"connect_args": {"timeout": 5.0, "check_same_thread": False}}
    faster = {"conv": CONVERSIONS} if url.get_driver_name() == "pymysql" else {}
    return {
        "isolation_level": "READ COMMITTED",
        "pool_size": POOL_SIZE,
        "max_overflow": 0,
        "pool_pre_ping": False,
        # Each connection comes back with its transaction ended. To end it once more would cost a round trip,
        # and SQLAlchemy writes a traceback when the server is lost just then.
        "pool_reset_on_return": None,
        "pool_recycle": 1800,
        "connect_args": {
            "connect_timeout": 10,
            "read_timeout": PATIENCE,
            "write_timeout": PATIENCE,
            "init_command": "SET time_zone = '+00:00', sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES'),"
            " group_concat_max_len = 65536",
            **faster,
        },
    }


def _create_sqlite(_dialect: Any, _record: Any, arguments: Sequence[Any], _named: Any) -> None:
    """Make a file that is not there readable for its user alone: it holds digests, keys and environments.

    SQLite gives the files that it puts beside it the same mode.
    """
    path = str(arguments[0])
    if path.startswith((":memory:", "file:")):
        return
    with suppress(OSError):  # it is there, or SQLite will say why it cannot be
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    # FULL: a start that was granted must not be forgotten when the power fails.
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 5000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that begins as a reader and then writes fails at once when another writer was first.
    write = connection.get_execution_options().get("cronq_write", True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _begin_mysql(connection: Connection) -> None:
    # Who writes has to see what others have just committed, who only reads one state throughout.
    if not connection.get_execution_options().get("cronq_write", True):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def in_pool(reactor: IReactorFromThreads, pool: ThreadPool) -> RunInThread:
    """A way to run functions in the threads of that pool."""

    def run(function: Callable[..., T], *args: Any) -> Deferred[T]:
        return deferToThreadPool(reactor, pool, function, *args)

    return run
