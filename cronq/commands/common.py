"""The settings that several daemons share, and the parts that are built from them; all but the database."""

import os
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

from twisted.application.service import IService
from twisted.internet.threads import deferToThreadPool

from cronq.broker.addresses import BadAddress, parse_addresses
from cronq.commands.sentry import Sentry
from cronq.commands.settings import Setting, seconds, yes_or_no
from cronq.commands.stopping import Signals


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


def is_dead(name: str) -> bool:
    """Whether no process of this host has the id any more that is in this `identity`."""
    host, _, process = name.rpartition(".")
    if host != socket.gethostname()[:50] or not process.isdecimal():
        return False
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, OverflowError):
        return True
    except PermissionError:
        pass  # it is of another user
    return False


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
