"""The page that hangs on the wall."""

from cronq.database.gateway import Database
from cronq.database.reading.overview import read_overview
from cronq.domain.access import Role
from cronq.web.http.exchange import Request, Response
from cronq.web.http.routing import Route
from cronq.web.pages.elapsed import elapsed_bar
from cronq.web.pages.hours_chart import draw_hours
from cronq.web.pages.rendering import Renderer


class OverviewPage:
    """Answers at `/overview`."""

    def __init__(self, database: Database, renderer: Renderer) -> None:
        self._database = database
        self._page = renderer.page

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/overview", self.overview, needs=Role.VIEWER),)

    async def overview(self, request: Request) -> Response:
        """What runs, what needs somebody, what is to come, and how the last day was."""
        view = await self._database.read(read_overview)
        return self._page(
            request,
            "overview.html",
            view=view,
            numbers=view.numbers,
            now=view.now,
            chart=draw_hours(view.hours),
            running=[(each, elapsed_bar(each)) for each in view.running],
        )
