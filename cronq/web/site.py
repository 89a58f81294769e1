"""The web, put together: one resource that answers people and programs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from twisted.internet.defer import maybeDeferred
from twisted.web.resource import IResource
from twisted.web.server import Site

from cronq.database.gateway import Database, RunInThread
from cronq.web.api import Api
from cronq.web.assets import Assets
from cronq.web.auditing import Auditor
from cronq.web.bodies import QuietSite
from cronq.web.explaining import Explainer, Explanation
from cronq.web.guard import Guard
from cronq.web.log_links import check_template
from cronq.web.pages import Pages
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
    #: The host names by which the web may be asked for, in lower case and without a port; None: by any.
    allowed_hosts: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if self.secret_key == "":
            raise ValueError("a secret key that is not empty")
        if self.log_url_template is not None:
            check_template(self.log_url_template)


def make_resource(
    database: Database,
    settings: WebSettings,
    *,
    run_in_thread: RunInThread = maybeDeferred,
    seconds: Callable[[], float] = time.time,
    on_run_requested: Callable[[], None] = lambda: None,
) -> IResource:
    """The root of the web.

    `run_in_thread` is for work that takes long and needs no database; `seconds` gives the time since 1970,
    which form tokens are dated by. `on_run_requested` is called whenever jobs may have become due: after a
    run was asked for, and after a category was replaced.
    """
    assets = Assets()
    templates = Templates(assets)
    secret_key = SecretKey(database, settings.secret_key)
    auditor = Auditor(database)
    pages = Pages(
        database, templates, secret_key, settings.log_url_template, seconds, on_run_requested, auditor
    )
    api = Api(database, run_in_thread, on_run_requested, auditor, seconds)

    def page_of(found: Explanation) -> str:
        return templates.render("error.html", found=found, now=None)

    explain = Explainer(page_of)
    ruling = Ruling(database, secret_key, seconds, on_run_requested)
    routes = (*pages.routes(), *api.routes(), *ruling.routes(), Route("/static/<name>", assets.serve))
    return Guard(klein_resource(routes, explain), explain, settings.allowed_hosts)


def make_site(resource: IResource) -> Site:
    """What listens: it serves the resource and never holds more of a body than the web reads."""
    return QuietSite(resource)  # type: ignore[no-untyped-call]
