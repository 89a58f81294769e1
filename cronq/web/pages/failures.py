"""The page of what went wrong."""

from cronq.database.gateway import Database
from cronq.database.reading.history import TROUBLE
from cronq.database.reading.views import read_failures
from cronq.domain.access import Role
from cronq.domain.runs import Status
from cronq.web.http.errors import BadRequest
from cronq.web.http.exchange import Request, Response
from cronq.web.http.fields import cursor, member
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer


class FailuresPage:
    """Answers at `/failures`."""

    def __init__(self, database: Database, renderer: Renderer) -> None:
        self._database = database
        self._page = renderer.page

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/failures", self.failures, needs=Role.VIEWER),)

    async def failures(self, request: Request) -> Response:
        """Runs of all jobs that came to no good end."""
        status = member(request, "status", Status)
        if status is not None and status not in TROUBLE:
            raise BadRequest(f"status: {status} is no failure")
        view = await self._database.read(read_failures, cursor(request, "older"), status)
        return self._page(request, "failures.html", view=view, now=view.now, statuses=TROUBLE)
