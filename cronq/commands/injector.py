"""`cronq-injector`: publishes what is due."""

from typing import Any, ClassVar

from twisted.application.service import IService

from cronq.broker.interface import Broker
from cronq.commands.common import (
    INTERVAL,
    RABBITMQ_URL,
    VERBOSE,
    Services,
    Values,
    amqp_broker,
    first_services,
    identity,
)
from cronq.commands.database import DATABASE_URL, DatabaseService, attendance
from cronq.commands.options import DaemonOptions
from cronq.commands.program import run_in_foreground
from cronq.commands.reactor import steady_reactor
from cronq.commands.sentry import SENTRY_DSN
from cronq.commands.settings import Setting
from cronq.database.gateway import Database
from cronq.domain.standing import DaemonKind
from cronq.services.injector import Injector, Republisher
from cronq.services.ordering import OrderPublisher
from cronq.services.sequence import Sequence
from cronq.services.tables import Tables

#: Seconds; how often it looks for what is to be published again, and for orders.
REPUBLISH_INTERVAL = 1.0


class Options(DaemonOptions):
    """Command line of the injector."""

    program = "cronq-injector"
    settings: ClassVar[tuple[Setting, ...]] = (DATABASE_URL, RABBITMQ_URL, INTERVAL, SENTRY_DSN, VERBOSE)


def make_injector(
    values: Values, database: Database, tables: Tables, broker: Broker, clock: Any
) -> tuple[Injector, Republisher, OrderPublisher]:
    """The duties of an injector."""
    injector = Injector(database, tables, broker, clock, identity(), values.interval)
    republisher = Republisher(database, tables, broker, clock, REPUBLISH_INTERVAL)
    return injector, republisher, OrderPublisher(database, tables, broker, clock, REPUBLISH_INTERVAL)


def makeService(options: Options) -> IService:
    """Build the daemon; nothing is opened yet."""
    reactor = steady_reactor()
    values = options.chosen
    owner = DatabaseService(reactor, values.database_url)
    broker = amqp_broker(reactor, values.rabbitmq_url, Options.program)
    tables = Tables(owner.database, create=True)
    services: Services = [*first_services(reactor, values, Options.program), owner, broker]
    services += make_injector(values, owner.database, tables, broker, reactor)
    services.append(attendance(DaemonKind.INJECTOR, owner.database, tables, broker, reactor))
    return Sequence.of(services)


def main() -> None:
    """The console script."""
    run_in_foreground(Options.program)
