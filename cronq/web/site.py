"""The web, put together: one resource that answers people and programs."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from twisted.internet.defer import maybeDeferred
from twisted.web.resource import IResource
from twisted.web.server import Site

from cronq.database.gateway import Database, RunInThread
from cronq.domain.access import Role
from cronq.web.access import Access
from cronq.web.api import Api
from cronq.web.assets import Assets
from cronq.web.auditing import Auditor
from cronq.web.bodies import QuietSite
from cronq.web.changes import Changes
from cronq.web.description import describe
from cronq.web.door import AccessSettings, Door
from cronq.web.exchange import Request, Response, json_response
from cronq.web.explaining import Explainer, Explanation
from cronq.web.form_tokens import FormTokens
from cronq.web.guard import Guard
from cronq.web.hosts import Hosts
from cronq.web.log_links import check_template
from cronq.web.logins import Logins
from cronq.web.pages import Pages
from cronq.web.passwords import Passwords
from cronq.web.rendering import Renderer
from cronq.web.routing import Route, klein_resource
from cronq.web.ruling import Ruling
from cronq.web.secret_key import SecretKey
from cronq.web.templating import Templates


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


def make_resource(
    database: Database,
    settings: WebSettings,
    *,
    run_in_thread: RunInThread = maybeDeferred,
    seconds: Callable[[], float] = time.time,
    on_run_requested: Callable[[], None] = lambda: None,
) -> IResource:
    """The root of the web; `make_web` says what its arguments are."""
    return make_web(database, settings, run_in_thread, seconds, on_run_requested).resource


def make_web(
    database: Database,
    settings: WebSettings,
    run_in_thread: RunInThread,
    seconds: Callable[[], float],
    on_run_requested: Callable[[], None],
) -> Web:
    """The web, put together.

    `run_in_thread` is for work that takes long and needs no database; `seconds` gives the time since 1970,
    which form tokens are dated by. `on_run_requested` is called whenever there may be something for injectors
    to do: after a run was asked for or killed, and after a category was replaced.
    """
    assets = Assets()
    templates = Templates(assets)
    form_tokens = FormTokens(SecretKey(database, settings.secret_key), seconds)
    passwords = Passwords(database, run_in_thread, seconds)
    door = Door(database, settings.access, passwords, form_tokens, seconds)
    renderer = Renderer(templates, form_tokens)
    auditor = Auditor(database)
    answers = (
        Pages(database, renderer, settings.log_url_template, on_run_requested, auditor),
        Api(database, run_in_thread, on_run_requested, auditor, seconds),
        Logins(database, renderer, door, passwords, form_tokens),
        Access(database, renderer, passwords, settings.access.add_user),
        Changes(database, renderer),
        Ruling(database, on_run_requested),
    )
    routes = [route for each in answers for route in each.routes()]
    routes.append(Route("/static/<name>", assets.serve, needs=None))
    routes.append(description_route(routes))

    def page_of(found: Explanation) -> str:
        return templates.render("error.html", found=found, now=None)

    explain = Explainer(page_of)
    resource = Guard(klein_resource(routes, door.admit, explain), explain, settings.hosts)
    return Web(resource, tuple(routes))


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
