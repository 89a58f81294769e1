"""Runs, for programs."""

from collections.abc import Callable

from cronq.database import gateway
from cronq.database.gateway import Database
from cronq.database.reading.run_search import RunSearch, read_runs
from cronq.database.reading.run_view import read_run
from cronq.domain.access import Role
from cronq.domain.runs import Status
from cronq.web.actions.by_hand import ask_for_kill, ask_for_run_again
from cronq.web.actions.naming import named_job
from cronq.web.api.run_shapes import run_in_full
from cronq.web.api.shapes import run_shape
from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.fields import cursor, is_run_id, members, moment, whole_number
from cronq.web.http.routing import Route

DEFAULT_PER_PAGE, MOST_PER_PAGE = 50, 200


class RunsApi:
    """Answers at `/api/runs`."""

    def __init__(self, database: Database, on_run_requested: Callable[[], None]) -> None:
        self._database = database
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/api/runs", self.runs, needs=Role.VIEWER),
            Route("/api/runs/<run_id>", self.run, needs=Role.VIEWER),
            Route("/api/runs/<run_id>/kill", self.kill, ("POST",), needs=Role.OPERATOR, by_category=True),
            Route("/api/runs/<run_id>/again", self.again, ("POST",), needs=Role.OPERATOR, by_category=True),
        )

    async def runs(self, request: Request) -> Response:
        """Runs, the latest first."""
        search = RunSearch(
            await named_job(self._database, request.fields.get("job", "")),
            members(request, "state", Status),
            moment(request, "since", await self._database.read(gateway.now)),
        )
        limit = min(whole_number(request, "per_page", least=1) or DEFAULT_PER_PAGE, MOST_PER_PAGE)
        page, events = await self._database.read(read_runs, search, cursor(request, "cursor"), limit)
        runs = [run_shape(run, events.get(run.run_id, ())) for run in page.runs]
        return json_response({"data": {"runs": runs, "next": page.older and str(page.older)}})

    async def run(self, _request: Request, run_id: str) -> Response:
        """A run and all that is known about it."""
        view = await self._database.read(read_run, run_id) if is_run_id(run_id) else None
        if view is None:
            raise NotFound("There is no such run; it may have been pruned.")
        return json_response({"data": {"run": run_in_full(view)}})

    async def kill(self, request: Request, run_id: str) -> Response:
        """End a run, wherever it is."""
        message = await ask_for_kill(self._database, request, run_id)
        self._on_run_requested()
        return json_response({"success": {"message": message}})

    async def again(self, request: Request, run_id: str) -> Response:
        """Run the job of a run once more, with the same arguments and variables."""
        made = await ask_for_run_again(self._database, request, run_id)
        self._on_run_requested()
        message = f"Job submitted at {made.asked_at}"
        return json_response({"success": {"message": message, "run_id": made.run_id}})
