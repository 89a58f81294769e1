"""Runners, for programs."""

from cronq.database.gateway import Database
from cronq.database.reading.runners import read_runner, read_runners
from cronq.domain.access import Role
from cronq.domain.heartbeats import RunnerStatus
from cronq.web.actions.draining import drain_runner, no_such_runner
from cronq.web.api.paging import page_of
from cronq.web.api.runner_shapes import runner_shape
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.fields import member, segment
from cronq.web.http.routing import Route


class RunnersApi:
    """Answers at `/api/runners`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/api/runners", self.runners, needs=Role.VIEWER),
            Route("/api/runners/<name>", self.runner, needs=Role.VIEWER),
            Route("/api/runners/<name>/drain", self.drain, ("POST",), needs=Role.OPERATOR),
        )

    async def runners(self, request: Request) -> Response:
        """A page of runners, with what they run."""
        status = member(request, "status", RunnerStatus)
        view = await self._database.read(read_runners, status, *page_of(request))
        return json_response({"data": {"runners": [runner_shape(view, each) for each in view.runners]}})

    async def runner(self, _request: Request, name: str) -> Response:
        """A runner, as long as it is not forgotten."""
        view = await self._database.read(read_runner, segment(name))
        if view is None:
            raise no_such_runner(segment(name))
        return json_response({"data": {"runner": runner_shape(view, view.runners[0])}})

    async def drain(self, request: Request, name: str) -> Response:
        """Order a runner to drain."""
        message = await drain_runner(self._database, request.caller, segment(name))
        return json_response({"success": {"message": message}})
