"""Private servers and daemons for tests: what a test process started ends with it, even when it is killed."""

import atexit
import functools

from tests.servers.daemons import Answer, Daemon, http_get
from tests.servers.mariadb import MariaDB
from tests.servers.proxy import Proxy
from tests.servers.rabbitmq import RabbitMQ
from tests.servers.sandbox import ROOT, free_port, sandbox
from tests.servers.server import ProgramMissing, ServerFailed

__all__ = [
    "ROOT",
    "Answer",
    "Daemon",
    "MariaDB",
    "ProgramMissing",
    "Proxy",
    "RabbitMQ",
    "ServerFailed",
    "free_port",
    "http_get",
    "mariadb",
    "rabbitmq",
    "sandbox",
]


@functools.cache
def rabbitmq() -> RabbitMQ:
    """The RabbitMQ that all tests of this process share, started at first use (about eight seconds).

    A test takes a vhost of it, and never stops it.
    """
    server = RabbitMQ()
    server.start()
    atexit.register(server.discard)
    return server


@functools.cache
def mariadb() -> MariaDB:
    """The MariaDB that all tests of this process share, started at first use (about two seconds).

    A test takes a database of it, and never stops it.
    """
    server = MariaDB()
    server.start()
    atexit.register(server.discard)
    return server
