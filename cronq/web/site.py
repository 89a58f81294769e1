"""The web, put together: one resource that answers people and programs."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import IResource
from twisted.web.server import Site

from cronq.database.gateway import Database, RunInThread
from cronq.domain.access import Role
from cronq.web.actions.auditing import Auditor
from cronq.web.actions.forecasting import Forecaster
from cronq.web.actions.looker import Looker
from cronq.web.actions.pulse import Pulse
from cronq.web.actions.ruling import Ruling
from cronq.web.api.categories import CategoriesApi
from cronq.web.api.description import describe
from cronq.web.api.failures import FailuresApi
from cronq.web.api.jobs import JobsApi
from cronq.web.api.output import OutputApi
from cronq.web.api.overview import OverviewApi
from cronq.web.api.previewing import SchedulesApi
from cronq.web.api.runners import RunnersApi
from cronq.web.api.runs import RunsApi
from cronq.web.api.status import StatusApi
from cronq.web.api.upcoming import UpcomingApi
from cronq.web.http.assets import Assets
from cronq.web.http.bodies import QuietSite
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.explaining import Explainer, Explanation
from cronq.web.http.routing import Route, klein_resource
from cronq.web.http.streams import Streams
from cronq.web.pages.access import Access
from cronq.web.pages.audit import AuditPage
from cronq.web.pages.categories import CategoryPages
from cronq.web.pages.changes import ChangesPage
from cronq.web.pages.failures import FailuresPage
from cronq.web.pages.job import JobPage
from cronq.web.pages.jobs import JobListPage
from cronq.web.pages.live import LivePages
from cronq.web.pages.log_links import check_template
from cronq.web.pages.logins import Logins
from cronq.web.pages.output import OutputPages
from cronq.web.pages.overview import OverviewPage
from cronq.web.pages.rendering import Renderer
from cronq.web.pages.run import RunPage
from cronq.web.pages.runners import RunnerPages
from cronq.web.pages.templating import Templates
from cronq.web.pages.upcoming import UpcomingPage
from cronq.web.safety.door import AccessSettings, Door
from cronq.web.safety.form_tokens import FormTokens
from cronq.web.safety.guard import Guard
from cronq.web.safety.hosts import Hosts
from cronq.web.safety.passwords import Passwords
from cronq.web.safety.secret_key import SecretKey


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What an operator can say about the web; raises `ValueError`."""

    #: Signs form tokens; None: the one that is kept in the database.
    secret_key: str | None = field(default=None, repr=False)
    #: Makes links to an external log dashboard.
    log_url_template: str | None = None
    #: The names by which the web may be asked for.
    hosts: Hosts = field(default_factory=Hosts)
    #: Who comes in.
    access: AccessSettings = field(default_factory=AccessSettings)

    def __post_init__(self) -> None:
        if self.secret_key == "":
            raise ValueError("a secret key that is not empty")
        if self.log_url_template is not None:
            check_template(self.log_url_template)


@dataclass(frozen=True, slots=True)
class Web:
    """What answers, and at which addresses it does."""

    resource: IResource
    routes: tuple[Route, ...]
    #: What is still being answered, however long it may take.
    streams: Streams


@dataclass(frozen=True, slots=True)
class Common:
    """What several of those have in common that answer."""

    database: Database
    renderer: Renderer
    settings: WebSettings
    clock: IReactorTime
    run_in_thread: RunInThread
    seconds: Callable[[], float]
    on_run_requested: Callable[[], None]
    auditor: Auditor
    forecaster: Forecaster
    looker: Looker


class Answers(Protocol):
    """Whatever answers at some addresses."""

    def routes(self) -> Sequence[Route]:
        """Its addresses."""


def make_web(
    database: Database,
    settings: WebSettings,
    clock: IReactorTime,
    *,
    run_in_thread: RunInThread = maybeDeferred,
    seconds: Callable[[], float] = time.time,
    on_run_requested: Callable[[], None] = lambda: None,
) -> Web:
    """The web, put together.

    `clock` is for answers that go on, `run_in_thread` for work that takes long and needs no database.
    `seconds` gives the time since 1970, which form tokens are dated by. `on_run_requested` is called when
    there may be something for injectors or results: a run was asked for, killed or looked at, or a category
    replaced.
    """
    assets = Assets()
    templates = Templates(assets)
    form_tokens = FormTokens(SecretKey(database, settings.secret_key), seconds)
    passwords = Passwords(database, run_in_thread, seconds)
    door = Door(database, settings.access, passwords, form_tokens, seconds)
    common = Common(
        database,
        Renderer(templates, form_tokens),
        settings,
        clock,
        run_in_thread,
        seconds,
        on_run_requested,
        Auditor(database),
        Forecaster(database, run_in_thread, seconds),
        Looker(database, clock, on_run_requested),
    )
    access = Access(database, common.renderer, passwords, settings.access.add_user)
    logins = Logins(database, common.renderer, door, passwords, form_tokens)
    answers = [*_for_people(common), *_for_programs(common), access, logins]
    routes = [route for each in answers for route in each.routes()]
    routes.append(Route("/static/<name>", assets.serve, needs=None))
    return _served(routes, common, door, templates)


def _served(routes: list[Route], common: Common, door: Door, templates: Templates) -> Web:
    def page_of(request: Request, found: Explanation) -> str:
        if request.caller.session is None:
            return templates.render("error.html", found=found, now=None)
        return common.renderer.text(request, "error.html", found=found, now=None)

    explain, streams = Explainer(page_of), Streams(common.clock)
    routes.append(description_route(routes))
    inner = klein_resource(routes, door.admit, door.recognise, explain, streams)
    return Web(Guard(inner, explain, common.settings.hosts), tuple(routes), streams)


def _for_people(common: Common) -> list[Answers]:
    database, renderer, wake = common.database, common.renderer, common.on_run_requested
    job_page = JobPage(database, renderer, wake)
    ruling = Ruling(database, wake, job_page.refuse)
    return [
        OverviewPage(database, renderer),
        JobListPage(database, renderer, ruling, wake),
        job_page,
        RunPage(database, renderer, common.looker, common.settings.log_url_template, wake),
        OutputPages(database, common.looker),
        UpcomingPage(database, renderer, common.forecaster),
        RunnerPages(database, renderer),
        CategoryPages(database, renderer, common.run_in_thread, wake),
        FailuresPage(database, renderer),
        AuditPage(renderer, common.auditor),
        ChangesPage(database, renderer),
        ruling,
        LivePages(Pulse(database, common.clock)),
    ]


def _for_programs(common: Common) -> list[Answers]:
    database, wake = common.database, common.on_run_requested
    return [
        StatusApi(database, common.auditor),
        CategoriesApi(database, common.run_in_thread, wake),
        JobsApi(database, wake),
        RunsApi(database, wake),
        OutputApi(database, common.looker),
        RunnersApi(database),
        SchedulesApi(common.run_in_thread, common.seconds),
        UpcomingApi(database, common.forecaster),
        FailuresApi(database),
        OverviewApi(database),
    ]


def description_route(routes: Iterable[Route]) -> Route:
    """Where programs find out what there is: these routes, and this one."""

    async def answer(_request: Request) -> Response:
        """What there is, in the words of OpenAPI 3.1."""
        return description

    route = Route("/api/openapi.json", answer, needs=Role.VIEWER)
    description = json_response(describe([*routes, route]))
    return route


def make_site(resource: IResource) -> Site:
    """What listens: it serves the resource and never holds more of a body than the web reads."""
    return QuietSite(resource)  # type: ignore[no-untyped-call]
