"""The list of jobs."""

from cronq.database.gateway import Database
from cronq.database.reading.jobs import Search
from cronq.database.reading.records import JobState
from cronq.database.reading.views import read_job_list
from cronq.domain.access import Role
from cronq.web.http.exchange import Request, Response
from cronq.web.http.fields import member, whole_number
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer

#: Longer words are in no name, and would be a burden to compare.
LONGEST_SEARCH = 255


class JobListPage:
    """Answers at `/`."""

    def __init__(self, database: Database, renderer: Renderer) -> None:
        self._database = database
        self._page = renderer.page

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/", self.jobs, needs=Role.VIEWER),)

    async def jobs(self, request: Request) -> Response:
        """The jobs by category, or those that are searched for."""
        search = Search(
            text=request.fields.get("q", "").strip()[:LONGEST_SEARCH],
            category=request.fields.get("category", ""),
            state=member(request, "state", JobState),
        )
        after, before = whole_number(request, "after"), whole_number(request, "before")
        view = await self._database.read(read_job_list, search, after, before)
        return self._page(request, "jobs.html", view=view, now=view.now, host=request.host)
