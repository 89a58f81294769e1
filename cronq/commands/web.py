"""`cronq-web`: the pages and the API."""

import re
from typing import Any, ClassVar

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IReactorTime, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.resource import IResource

from cronq.commands.common import (
    DATABASE_URL,
    VERBOSE,
    DatabaseService,
    Values,
    first_services,
    in_reactor_threads,
)
from cronq.commands.connections import Connections, RequestsInHand
from cronq.commands.options import DaemonOptions
from cronq.commands.program import run_in_foreground
from cronq.commands.sentry import SENTRY_DSN
from cronq.commands.settings import Setting, text, whole_number
from cronq.commands.stopping import cannot_start
from cronq.database.gateway import Database
from cronq.services.loop import Loop
from cronq.services.sequence import Sequence
from cronq.services.tables import Tables
from cronq.web.log_links import check_template
from cronq.web.site import WebSettings, make_resource, make_site

log = Logger()

#: Seconds between two looks at the database, when there are no tables and when all is well.
WITHOUT_TABLES, HOUR = 1.0, 3600.0


def endpoint(value: str) -> str:
    """A description of where to listen, as Twisted's `serverFromString` takes it."""
    from twisted.internet import reactor

    try:
        serverFromString(reactor, value)
    except Exception as error:  # whatever the plugin for this kind of endpoint has to object
        raise ValueError(f"a Twisted endpoint such as tcp:5000:interface=127.0.0.1 ({error})") from error
    return value


def interface(value: str) -> str:
    """An address of this machine, or a name of it."""
    if not re.fullmatch(r"[0-9A-Za-z._-]+|[0-9A-Fa-f:.]+(%[0-9A-Za-z._-]+)?", value):
        raise ValueError("an address of this machine such as 127.0.0.1 or ::1")
    return value


LISTEN = Setting("listen", (), endpoint, None, "a Twisted endpoint to listen on, instead of the next two")
LISTEN_INTERFACE = Setting(
    "listen_interface", ("LISTEN_INTERFACE",), interface, "127.0.0.1", "the address to listen on"
)
PORT = Setting("port", ("PORT",), whole_number(0, 65_535), "5000", "the port to listen on")
SECRET_KEY = Setting(
    "secret_key",
    ("SECRET_KEY",),
    text,
    None,
    "signs form tokens (default: made once and kept in the database)",
    secret=True,
)
LOG_URL_TEMPLATE = Setting(
    "log_url_template",
    ("CRONQ_LOG_URL_TEMPLATE",),
    check_template,
    None,
    "link to an external log dashboard, with {job_id}, {run_id}, {start_time} and {end_time}",
)
WEB_SETTINGS = (LISTEN, LISTEN_INTERFACE, PORT, SECRET_KEY, LOG_URL_TEMPLATE)


class Options(DaemonOptions):
    """Command line of the web."""

    program = "cronq-web"
    settings: ClassVar[tuple[Setting, ...]] = (DATABASE_URL, *WEB_SETTINGS, SENTRY_DSN, VERBOSE)


class WebService(Service):
    """Listens, and says where."""

    def __init__(
        self, name: str, where: IStreamServerEndpoint, resource: IResource, clock: IReactorTime
    ) -> None:
        self._name = name
        self._where = where
        self._requests = RequestsInHand(resource)
        site = make_site(self._requests)
        site.noisy = False
        self._connections = Connections(site, clock)
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """Begin to listen; a program that cannot is ended with one line."""
        Service.startService(self)
        failures: list[Failure] = []
        self._where.listen(self._connections).addCallbacks(self._listening, failures.append)
        if failures:
            raise cannot_start(f"{self._name}: {failures[0].getErrorMessage()}")

    def stopService(self) -> Deferred[None]:
        """Fires when no more connections are taken and all requests are answered."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._finish())

    async def _finish(self) -> None:
        if self._port is not None:
            await (self._port.stopListening() or succeed(None))
        await self._requests.all_answered()
        await self._connections.close_all()

    def _listening(self, port: IListeningPort) -> None:
        self._port = port
        address: Any = port.getHost()
        host = getattr(address, "host", None)
        shown = f"[{host}]" if host and ":" in host else host
        log.info("listening on {where}", where=f"http://{shown}:{address.port}/" if shown else str(address))


class DatabaseCheck(Loop):
    """Says what is wrong with the database before somebody asks for a page, and when it is over."""

    def __init__(self, tables: Tables, clock: IReactorTime) -> None:
        super().__init__("web", self.check, clock)
        self._tables = tables

    async def check(self) -> float:
        """One pass; when all is well, the rest can be left to requests."""
        return HOUR if await self._tables.ready() else WITHOUT_TABLES


def makeService(options: Options) -> IService:
    """Build the daemon; nothing is opened yet."""
    from twisted.internet import reactor

    owner = DatabaseService(reactor, options.chosen.database_url)
    check = DatabaseCheck(Tables(owner.database, create=False), reactor)
    web = make_web(reactor, options.chosen, owner.database)
    return Sequence.of([*first_services(reactor, options.chosen, Options.program), owner, check, web])


def make_web(reactor: Any, values: Values, database: Database, wake: Any = lambda: None) -> WebService:
    """The web; `wake` is called when someone has asked for a run or changed a category."""
    settings = WebSettings(log_url_template=values.log_url_template, secret_key=values.secret_key)
    resource = make_resource(
        database, settings, run_in_thread=in_reactor_threads(reactor), on_run_requested=wake
    )
    at = values.listen_interface.replace(":", r"\:")
    where = values.listen or f"tcp:{values.port}:interface={at}"
    return WebService(where, serverFromString(reactor, where), resource, reactor)


def main() -> None:
    """The console script."""
    run_in_foreground(Options.program)
