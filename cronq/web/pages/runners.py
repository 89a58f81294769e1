"""The pages of the runners."""

from cronq.database.gateway import Database
from cronq.database.reading.runners import read_runner, read_runner_list
from cronq.domain.access import Role
from cronq.domain.heartbeats import RunnerStatus
from cronq.web.actions.draining import drain_runner, no_such_runner
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.fields import member, runner_path, segment, whole_number
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer

RUNNERS_ON_A_PAGE = 50
#: Of one runner, that are shown.
MOST_RUNS = 100


class RunnerPages:
    """Answers at `/runners` and `/runner/<id>`."""

    def __init__(self, database: Database, renderer: Renderer) -> None:
        self._database = database
        self._page = renderer.page

    def routes(self) -> tuple[Route, ...]:
        """Their addresses."""
        return (
            Route("/runners", self.runners, needs=Role.VIEWER),
            Route("/runner/<name>", self.runner, needs=Role.VIEWER),
            Route("/runner/<name>", self.drain, ("POST",), needs=Role.OPERATOR),
        )

    async def runners(self, request: Request) -> Response:
        """The runners, those that are up first."""
        status = member(request, "status", RunnerStatus)
        page = whole_number(request, "page") or 0
        view, counts = await self._database.read(
            read_runner_list, status, page * RUNNERS_ON_A_PAGE, RUNNERS_ON_A_PAGE
        )
        return self._page(
            request, "runners.html", view=view, now=view.now, counts=counts, status=status, page=page
        )

    async def runner(self, request: Request, name: str) -> Response:
        """A runner and what it runs."""
        view = await self._database.read(read_runner, segment(name))
        if view is None:
            raise no_such_runner(segment(name))
        path = runner_path(segment(name))
        return self._page(request, "runner.html", view=view, now=view.now, path=path, most=MOST_RUNS)

    async def drain(self, request: Request, name: str) -> Response:
        """Order a runner to drain, and go back to it."""
        await drain_runner(self._database, request.caller, segment(name))
        return see_other(runner_path(segment(name)))
