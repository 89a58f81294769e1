"""Runs, for programs."""

from collections.abc import Callable

from cronq.database.gateway import Database
from cronq.domain.access import Role
from cronq.web.actions.by_hand import ask_for_kill
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.routing import Route


class RunsApi:
    """Answers at `/api/runs`."""

    def __init__(self, database: Database, on_run_requested: Callable[[], None]) -> None:
        self._database = database
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (
            Route("/api/runs/<run_id>/kill", self.kill, ("POST",), needs=Role.OPERATOR, by_category=True),
        )

    async def kill(self, request: Request, run_id: str) -> Response:
        """End a run, wherever it is."""
        message = await ask_for_kill(self._database, request, run_id)
        self._on_run_requested()
        return json_response({"success": {"message": message}})
