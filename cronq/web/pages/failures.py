"""The page of what went wrong."""

from cronq.database.gateway import Database
from cronq.database.reading.failing import read_failing
from cronq.database.reading.views import read_failures
from cronq.domain.access import Role
from cronq.domain.runs import TROUBLE, Status
from cronq.web.http.errors import BadRequest
from cronq.web.http.exchange import Request, Response
from cronq.web.http.fields import cursor, member
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer

#: Stands for all of the statuses.
ANY = "any"


class FailuresPage:
    """Answers at `/failures`."""

    def __init__(self, database: Database, renderer: Renderer) -> None:
        self._database = database
        self._page = renderer.page

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/failures", self.failures, needs=Role.VIEWER),)

    async def failures(self, request: Request) -> Response:
        """The jobs that fail; with `status`, the runs that came to that end, or to any bad one."""
        if "status" in request.fields or "older" in request.fields:
            return await self._runs(request)
        view = await self._database.read(read_failing)
        return self._page(request, "failing.html", view=view, now=view.now, statuses=TROUBLE, status=None)

    async def _runs(self, request: Request) -> Response:
        status = None if request.fields.get("status") == ANY else member(request, "status", Status)
        if status is not None and status not in TROUBLE:
            raise BadRequest(f"status: {status} is no failure")
        view = await self._database.read(read_failures, cursor(request, "older"), status)
        return self._page(
            request, "failures.html", view=view, now=view.now, statuses=TROUBLE, status=status or ANY
        )
