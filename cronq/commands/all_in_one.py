"""`twistd cronq`: all four daemons in one process, by default with SQLite and a broker of its own."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from twisted.application.service import IService
from twisted.logger import Logger

from cronq.broker.memory import MemoryBroker
from cronq.commands.common import (
    INTERVAL,
    LOST_AFTER,
    MEMORY,
    RABBITMQ_URL,
    VERBOSE,
    amqp_broker,
    broker_url,
    first_services,
)
from cronq.commands.database import DATABASE_URL, DatabaseService, attendance, sqlite_file, sqlite_url
from cronq.commands.injector import make_injector
from cronq.commands.options import DaemonOptions
from cronq.commands.reactor import steady_reactor
from cronq.commands.results import make_results
from cronq.commands.runner import RUNNER_SETTINGS, make_runner, state_path
from cronq.commands.sentry import SENTRY_DSN
from cronq.commands.settings import Setting
from cronq.commands.web import WEB_SETTINGS, web_services
from cronq.database.categories import replace_category
from cronq.database.outbox import forget_published
from cronq.database.restarts import lose_running
from cronq.domain.access import Actor, Via
from cronq.domain.documents import Document, read_document
from cronq.domain.errors import BadDocument
from cronq.domain.standing import DaemonKind
from cronq.services.live_output import LiveOutput
from cronq.services.loop import Loop
from cronq.services.sequence import Sequence
from cronq.services.tables import Tables

log = Logger()

#: Whoever starts it with a document.
LOADER = Actor("--load", Via.SHELL)


def document(value: str) -> Document:
    """A category document in a file."""
    try:
        return read_document(Path(value).read_bytes())
    except OSError as error:
        raise ValueError(f"a file with a category document ({error.strerror})") from error
    except BadDocument as error:
        raise ValueError(f"a file with a category document ({error})") from error


LOAD = Setting(
    "load",
    (),
    document,
    None,
    "a file with a category document to load at the start; may be repeated",
    repeatable=True,
)


class Options(DaemonOptions):
    """Command line of the all-in-one process."""

    program = "cronq"
    settings: ClassVar[tuple[Setting, ...]] = (
        replace(
            DATABASE_URL, default=None, what="the database, as a SQLAlchemy URL (default: a SQLite file)"
        ),
        replace(RABBITMQ_URL, default=MEMORY, parse=broker_url),
        INTERVAL,
        LOST_AFTER,
        *RUNNER_SETTINGS,
        *WEB_SETTINGS,
        LOAD,
        SENTRY_DSN,
        VERBOSE,
    )


def makeService(options: Options) -> IService:
    """Build all of it; nothing is opened yet."""
    reactor = steady_reactor()
    values = options.chosen
    values.state_path = state_path(values, options)
    owner = DatabaseService(reactor, values.database_url or sqlite_url(sqlite_file(values.state_path)))
    broker, embedded = _broker(reactor, values.rabbitmq_url)
    then: list[Any] = [forget_published, lose_running] if embedded else []
    then += [partial(replace_category, category=each.category, by=LOADER) for each in values.load or ()]
    tables = Tables(owner.database, create=True, then=then)
    injectors = make_injector(values, owner.database, tables, broker, reactor)
    results = make_results(values, owner.database, tables, broker, reactor)
    live_output = next(each for each in results if isinstance(each, LiveOutput))
    web = web_services(
        reactor, options, owner.database, tables, wake=partial(_wake, [*injectors, live_output])
    )
    runner = make_runner(reactor, values, broker, options, drained=_drained)
    sign = attendance(DaemonKind.INJECTOR, owner.database, tables, broker, reactor)
    first = first_services(reactor, values, Options.program, runner.stop_now)
    return Sequence.of([*first, owner, broker, *results, *web, runner, *injectors, sign])


def _wake(loops: Iterable[Loop]) -> None:
    for loop in loops:
        loop.wake()


def _drained() -> None:
    log.info("the runner has drained: no job runs here until cronq is started again")


def _broker(reactor: Any, url: str) -> tuple[Any, bool]:
    if url == MEMORY:
        return MemoryBroker(reactor).connect(Options.program), True
    return amqp_broker(reactor, url, Options.program), False
