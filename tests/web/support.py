"""A web with a database in memory, asked without a socket."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from treq.testing import StubTreq
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from cronq.database.gateway import Database, make_engine
from cronq.web.safety.hosts import Hosts
from cronq.web.site import WebSettings, make_web
from tests.web.markup import Page, assert_harmless, read_page
from tests.web.seed import NOW, create_tables

HOST = "http://cronq.example:5000"


@dataclass(frozen=True)
class Answer:
    """A response that has arrived in full."""

    code: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        assert self.header("Content-Type") == "application/json; charset=utf-8", self.text[:200]
        return json.loads(self.body)

    @property
    def page(self) -> Page:
        assert self.header("Content-Type") == "text/html; charset=utf-8", self.text[:200]
        assert_harmless(self.text)
        return read_page(self.text)

    def header(self, name: str) -> str | None:
        values = self.headers.getRawHeaders(name)
        return values[0] if values else None


class WebTestCase(SynchronousTestCase):
    """Tests of routes; `self.wakes` counts how often an injector was woken."""

    settings = WebSettings(secret_key="a secret of the tests")

    def setUp(self) -> None:
        engine = make_engine(self.database_url())
        self.addCleanup(engine.dispose)
        self.now = NOW
        self.seconds = 1_000_000.0
        self.wakes = 0
        self.database = Database(engine, maybeDeferred, Clock(), self.read_clock)
        self.serve(self.settings)
        self.write(create_tables)

    def database_url(self) -> str:
        """An empty database."""
        return "sqlite://"

    def serve(self, settings: WebSettings) -> None:
        """Ask a web with these settings from now on."""
        if settings.hosts == Hosts():
            settings = replace(settings, hosts=Hosts(frozenset({"cronq.example"})))
        self.clock = Clock()
        self.site = make_web(
            self.database,
            settings,
            self.clock,
            seconds=lambda: self.seconds,
            on_run_requested=self.note_wake,
        )
        self.client: Any = StubTreq(self.site.resource)  # type: ignore[no-untyped-call]

    def read_clock(self, _connection: Connection) -> datetime:
        return self.now

    def note_wake(self) -> None:
        self.wakes += 1

    def write(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Do something to the database in one transaction."""

        def call(connection: Connection) -> Any:
            return function(connection, *args, **kwargs)

        return self.successResultOf(Deferred.fromCoroutine(self.database.transact(call)))

    def ask(self, method: str, path: str, **kwargs: Any) -> Answer:
        kwargs.setdefault("allow_redirects", False)
        response = self.successResultOf(self.client.request(method, HOST + path, **kwargs))
        body = self.successResultOf(response.content())
        return Answer(response.code, response.headers, body)

    def get(self, path: str, **kwargs: Any) -> Answer:
        return self.ask("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Answer:
        return self.ask("POST", path, **kwargs)
