"""`cronq-results`: records what the runners report, and grants starts."""

from typing import Any, ClassVar

from twisted.application.service import IService

from cronq.broker.interface import Broker
from cronq.commands.common import (
    LOST_AFTER,
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
from cronq.domain.runs import new_token
from cronq.domain.standing import DaemonKind
from cronq.services.counting import Counting
from cronq.services.forgetting import Forgetting
from cronq.services.gauging import Gauging
from cronq.services.live_output import LiveOutput
from cronq.services.loop import Loop
from cronq.services.results import Results
from cronq.services.sequence import Sequence
from cronq.services.tables import Tables
from cronq.services.tallying import Tallying
from cronq.services.watch import Watch


class Options(DaemonOptions):
    """Command line of results."""

    program = "cronq-results"
    settings: ClassVar[tuple[Setting, ...]] = (
        DATABASE_URL,
        RABBITMQ_URL,
        LOST_AFTER,
        SENTRY_DSN,
        VERBOSE,
    )


def make_results(
    values: Values, database: Database, tables: Tables, broker: Broker, clock: Any
) -> tuple[Loop, ...]:
    """The duties of a results daemon; the watch is to stop last, as it tells the others of the end."""
    results = Results(database, tables, broker, clock)
    name = f"{identity()}.{new_token()[:12]}"
    watch = Watch(database, tables, broker, clock, name, values.lost_after, results.lag)
    duties = tuple(each(database, tables, clock) for each in (Forgetting, Gauging, Counting, Tallying))
    sign = attendance(DaemonKind.RESULTS, database, tables, broker, clock)
    return watch, results, *duties, LiveOutput(database, tables, broker, clock), sign


def makeService(options: Options) -> IService:
    """Build the daemon; nothing is opened yet."""
    reactor = steady_reactor()
    values = options.chosen
    owner = DatabaseService(reactor, values.database_url)
    broker = amqp_broker(reactor, values.rabbitmq_url, Options.program)
    tables = Tables(owner.database, create=False)
    services: Services = [*first_services(reactor, values, Options.program), owner, broker]
    services += make_results(values, owner.database, tables, broker, reactor)
    return Sequence.of(services)


def main() -> None:
    """The console script."""
    run_in_foreground(Options.program)
