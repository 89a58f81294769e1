"""`cronq-results`: records what the runners report, and grants starts."""

from typing import ClassVar

from twisted.application.service import IService

from cronq.commands.common import (
    DATABASE_URL,
    RABBITMQ_URL,
    VERBOSE,
    DatabaseService,
    amqp_broker,
    first_services,
)
from cronq.commands.options import DaemonOptions
from cronq.commands.program import run_in_foreground
from cronq.commands.sentry import SENTRY_DSN
from cronq.commands.settings import Setting
from cronq.services.results import Results
from cronq.services.sequence import Sequence
from cronq.services.tables import Tables


class Options(DaemonOptions):
    """Command line of results."""

    program = "cronq-results"
    settings: ClassVar[tuple[Setting, ...]] = (DATABASE_URL, RABBITMQ_URL, SENTRY_DSN, VERBOSE)


def makeService(options: Options) -> IService:
    """Build the daemon; nothing is opened yet."""
    from twisted.internet import reactor

    values = options.chosen
    owner = DatabaseService(reactor, values.database_url)
    broker = amqp_broker(reactor, values.rabbitmq_url, Options.program)
    tables = Tables(owner.database, create=False)
    return Sequence.of(
        [
            *first_services(reactor, values, Options.program),
            owner,
            broker,
            Results(owner.database, tables, broker, reactor),
        ]
    )


def main() -> None:
    """The console script."""
    run_in_foreground(Options.program)
