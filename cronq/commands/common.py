"""The settings that several daemons share, and the parts that are built from them."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

from sqlalchemy.exc import ArgumentError
from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from cronq import __version__
from cronq.broker.addresses import BadAddress, parse_addresses
from cronq.broker.interface import Broker
from cronq.commands.sentry import Sentry
from cronq.commands.settings import Setting, seconds, yes_or_no
from cronq.commands.stopping import Signals
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


def broker_url(value: str) -> str:
    """A broker URL that can be used."""
    if value != MEMORY:
        try:
            parse_addresses(value)
        except BadAddress as error:
            raise ValueError(f"a broker URL such as amqp://user:password@host/vhost ({error})") from error
    return value


def amqp_url(value: str) -> str:
    """A broker URL for a daemon that is alone in its process."""
    if value == MEMORY:
        raise ValueError("an amqp:// URL; memory:// is for `cronq`, which has all daemons in one process")
    return broker_url(value)


MEMORY = "memory://"
VERBOSE = Setting("verbose", ("LOGGING_VERBOSE", "DEBUG"), yes_or_no, False, "log more than usual", flag=True)
DATABASE_URL = Setting(
    "database_url",
    ("DATABASE_URL", "CRONQ_MYSQL"),
    database_url,
    "mysql+pymysql://root@localhost/cronq",
    "the database, as a SQLAlchemy URL",
    secret=True,
)
RABBITMQ_URL = Setting(
    "rabbitmq_url",
    ("RABBITMQ_URL",),
    amqp_url,
    "amqp://guest:guest@localhost/",
    "the broker; several hosts separated by commas",
    secret=True,
)
INTERVAL = Setting(
    "interval", ("CRONQ_INTERVAL",), seconds(0.01, 3600), "1", "the injector's longest sleep, in seconds"
)

LOST_AFTER = Setting(
    "lost_after",
    ("CRONQ_LOST_AFTER",),
    seconds(30, 86_400),
    "60",
    "seconds of a runner's silence until its runs are lost",
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


def in_reactor_threads(reactor: Any) -> Callable[..., Any]:
    """A way to run blocking functions in the reactor's own pool."""
    return partial(deferToThreadPool, reactor, reactor.getThreadPool())


def amqp_broker(reactor: Any, url: str, program: str) -> Any:
    """The connection to a broker at `url`, named after the program."""
    from cronq.broker.amqp import AmqpBroker

    return AmqpBroker(reactor, parse_addresses(url), f"{program}@{identity()}")


def identity() -> str:
    """Names this process among all others: `host.pid`."""
    return f"{socket.gethostname()[:50]}.{os.getpid()}"


def attendance(
    kind: DaemonKind, database: Database, tables: Tables, broker: Broker, clock: Any
) -> Attendance:
    """The duty by which people see that a daemon of this process is up."""
    who = Attendee(kind, identity(), socket.gethostname(), __version__)
    return Attendance(database, tables, broker, clock, who)


def utc_now() -> datetime:
    """What this machine thinks the time is."""
    return datetime.now(UTC).replace(tzinfo=None)


Values = SimpleNamespace
Services = list[IService]


def first_services(
    reactor: Any, values: Values, program: str, stop_now: Callable[[], None] | None = None
) -> Services:
    """What every daemon begins with: its signals, and the reports of its faults."""
    reports = [Sentry(values.sentry_dsn, program)] if values.sentry_dsn else []
    return [Signals(reactor, stop_now), *reports]
