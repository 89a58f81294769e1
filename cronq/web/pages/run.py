"""The page of a run."""

from collections.abc import Callable

from cronq.database.gateway import Database
from cronq.database.reading.history import TROUBLE
from cronq.database.reading.views import read_run
from cronq.domain.access import Role
from cronq.web.actions.by_hand import ask_for_kill
from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.fields import is_run_id
from cronq.web.http.routing import Route
from cronq.web.pages.log_links import log_link
from cronq.web.pages.rendering import Renderer


class RunPage:
    """Answers at `/run/<run_id>`."""

    def __init__(
        self,
        database: Database,
        renderer: Renderer,
        log_url_template: str | None,
        on_run_requested: Callable[[], None],
    ) -> None:
        self._database = database
        self._page = renderer.page
        self._log_url_template = log_url_template
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/run/<run_id>", self.run, needs=Role.VIEWER),
            Route("/run/<run_id>/kill", self.kill_run, ("POST",), needs=Role.OPERATOR, by_category=True),
        )

    async def run(self, request: Request, run_id: str) -> Response:
        """A run, step by step."""
        view = await self._database.read(read_run, run_id) if is_run_id(run_id) else None
        if view is None:
            raise NotFound("There is no such run; it may have been pruned.")
        link = log_link(self._log_url_template, view.run, view.now)
        return self._page(request, "run.html", view=view, now=view.now, log_link=link, trouble=TROUBLE)

    async def kill_run(self, request: Request, run_id: str) -> Response:
        """End a run, and go back to it."""
        await ask_for_kill(self._database, request, run_id)
        self._on_run_requested()
        return see_other(f"/run/{run_id}")
