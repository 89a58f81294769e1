"""A web in this process, looked at with a real browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.internet.threads import blockingCallFromThread, deferToThread
from twisted.trial.unittest import TestCase
from twisted.web.resource import IResource

from cronq.database.gateway import Database, make_engine
from cronq.web.site import WebSettings, make_site, make_web
from tests.integration.browser import Browser, chromium
from tests.web.installation import seed_small
from tests.web.seed import NOW, create_tables

reactor: Any = _reactor


class BrowsingCase(TestCase):
    """Each test has the small installation, in which it is always `NOW`."""

    timeout = 300
    settings = WebSettings()

    def setUp(self) -> None:
        engine = make_engine("sqlite://")
        self.addCleanup(engine.dispose)
        self.database = Database(engine, maybeDeferred, Clock(), lambda _: NOW)
        self.web = make_web(self.database, self.settings, reactor)
        self.addCleanup(self.web.streams.end_all)
        self.base = self.listen(self.web.resource)
        self.write(create_tables)
        self.write(seed_small)

    def listen(self, resource: IResource) -> str:
        """Serve a resource, and give its address."""
        port = reactor.listenTCP(0, make_site(resource), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return f"http://127.0.0.1:{port.getHost().port}"

    def write(self, function: Callable[[Connection], Any]) -> Any:
        return self.successResultOf(Deferred.fromCoroutine(self.database.transact(function)))

    def browse(self, visit: Callable[[Browser], None]) -> Deferred[None]:
        """Do something with a fresh browser, in a thread."""

        def run() -> None:
            with chromium(self.base, str(Path(self.mktemp()).resolve())) as browser:
                visit(browser)

        return deferToThread(run)

    def meanwhile(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Do something in the thread of the web, while a browser looks on in its own."""
        return blockingCallFromThread(reactor, function, *arguments)
