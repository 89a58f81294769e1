"""The page of what is to come."""

from cronq.database.gateway import Database
from cronq.domain.access import Role
from cronq.web.actions.forecasting import DAY, WEEK, Forecaster
from cronq.web.actions.upcoming import upcoming
from cronq.web.http.exchange import Request, Response
from cronq.web.http.routing import Route
from cronq.web.pages.load_chart import draw_lane, draw_load
from cronq.web.pages.rendering import Renderer


class UpcomingPage:
    """Answers at `/upcoming`."""

    def __init__(self, database: Database, renderer: Renderer, forecaster: Forecaster) -> None:
        self._database = database
        self._page = renderer.page
        self._forecaster = forecaster

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/upcoming", self.upcoming, needs=Role.VIEWER),)

    async def upcoming(self, request: Request) -> Response:
        """The next day or the next week."""
        view = await upcoming(self._database, self._forecaster, request)
        load = view.forecast.load
        return self._page(
            request,
            "upcoming.html",
            view=view,
            now=view.now,
            host=request.host,
            chart=draw_load(load, view.now),
            lanes=[(lane, draw_lane(lane.bars, load.begin, load.end)) for lane in view.lanes],
            periods=((DAY, "24 hours"), (WEEK, "7 days")),
        )
