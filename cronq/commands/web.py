"""`cronq-web`: the pages and the API."""

import re
from typing import Any, ClassVar

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IReactorTime, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.commands.access import (
    ACCESS_SETTINGS,
    NO_LOGIN,
    UsersCheck,
    access_settings,
    hosts,
)
from cronq.commands.common import VERBOSE, Services, first_services, in_reactor_threads
from cronq.commands.connections import Connections, RequestsInHand
from cronq.commands.database import DATABASE_URL, DatabaseService
from cronq.commands.options import DaemonOptions
from cronq.commands.program import run_in_foreground
from cronq.commands.reactor import steady_reactor
from cronq.commands.sentry import SENTRY_DSN
from cronq.commands.settings import Setting, text, whole_number
from cronq.commands.stopping import cannot_start, end_in_failure
from cronq.database.gateway import Database
from cronq.services.sequence import Sequence
from cronq.services.tables import Tables
from cronq.web.pages.log_links import check_template
from cronq.web.site import Web, WebSettings, make_site, make_web

log = Logger()


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
WEB_SETTINGS = (LISTEN, LISTEN_INTERFACE, PORT, *ACCESS_SETTINGS, SECRET_KEY, LOG_URL_TEMPLATE)


class Options(DaemonOptions):
    """Command line of the web."""

    program = "cronq-web"
    settings: ClassVar[tuple[Setting, ...]] = (DATABASE_URL, *WEB_SETTINGS, SENTRY_DSN, VERBOSE)


class WebService(Service):
    """Listens, and says where."""

    def __init__(
        self,
        name: str,
        where: IStreamServerEndpoint,
        web: Web,
        clock: IReactorTime,
        *,
        at_once: bool,
    ) -> None:
        """`at_once`: with its start, and not only when it is told to."""
        self._name = name
        self._at_once = at_once
        self._where = where
        self._clock = clock
        self._requests = RequestsInHand(web.resource)
        self._streams = web.streams
        site = make_site(self._requests)
        site.noisy = False
        self._connections = Connections(site, clock)
        self._port: IListeningPort | None = None

    def startService(self) -> None:
        """Begin to listen; a program that cannot is ended with one line."""
        Service.startService(self)
        if self._at_once:
            failures = self._listen()
            if failures:
                raise cannot_start(self._sentence(failures[0]))

    def listen(self) -> None:
        """Begin to listen now; a program that cannot is ended with one line."""
        if self.running and self._port is None:
            for failure in self._listen():
                end_in_failure(self._clock, self._sentence(failure))

    def stopService(self) -> Deferred[None]:
        """Fires when no more connections are taken and all requests are answered."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._finish())

    def _listen(self) -> list[Failure]:
        failures: list[Failure] = []
        self._where.listen(self._connections).addCallbacks(self._listening, failures.append)
        return failures

    def _sentence(self, failure: Failure) -> str:
        return f"{self._name}: {failure.getErrorMessage()}"

    async def _finish(self) -> None:
        if self._port is not None:
            await (self._port.stopListening() or succeed(None))
        self._streams.end_all()
        await self._requests.all_answered()
        await self._connections.close_all()

    def _listening(self, port: IListeningPort) -> None:
        self._port = port
        address: Any = port.getHost()
        host = getattr(address, "host", None)
        shown = f"[{host}]" if host and ":" in host else host
        log.info("listening on {where}", where=f"http://{shown}:{address.port}/" if shown else str(address))


def makeService(options: Options) -> IService:
    """Build the daemon; nothing is opened yet."""
    reactor = steady_reactor()
    owner = DatabaseService(reactor, options.chosen.database_url)
    tables = Tables(owner.database, create=False)
    web = web_services(reactor, options, owner.database, tables)
    return Sequence.of([*first_services(reactor, options.chosen, Options.program), owner, *web])


def web_services(
    reactor: Any,
    options: DaemonOptions,
    database: Database,
    tables: Tables,
    wake: Any = lambda: None,
) -> Services:
    """The web; `wake` is called when someone has asked for a run or changed a category."""
    values = options.chosen
    at = values.listen_interface.replace(":", r"\:")
    where = values.listen or f"tcp:{values.port}:interface={at}"
    access = access_settings(values, where, database.engine.url)
    if access.no_login and not access.loopback:
        raise options.refused(f"--{NO_LOGIN.option} is for loopback only, and not for {where}")
    settings = WebSettings(values.secret_key, values.log_url_template, hosts(values, where), access)
    made = make_web(
        database, settings, reactor, run_in_thread=in_reactor_threads(reactor), on_run_requested=wake
    )
    endpoint = serverFromString(reactor, where)
    web = WebService(where, endpoint, made, reactor, at_once=access.loopback)
    return [UsersCheck(reactor, tables, database, access, web.listen), web]


def main() -> None:
    """The console script."""
    run_in_foreground(Options.program)
