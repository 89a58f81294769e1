"""Schedules that no job has yet, for programs."""

from collections.abc import Callable
from datetime import UTC, datetime

from cronq.database.gateway import RunInThread
from cronq.domain.access import Role
from cronq.domain.schedules.preview import Preview
from cronq.web.api.schedules import preview_of_body, preview_shape
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.routing import Route


class SchedulesApi:
    """Answers at `/api/schedule/preview`."""

    def __init__(self, run_in_thread: RunInThread, seconds: Callable[[], float]) -> None:
        self._run_in_thread = run_in_thread
        self._seconds = seconds

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/api/schedule/preview", self.preview, ("POST",), needs=Role.VIEWER),)

    async def preview(self, request: Request) -> Response:
        """What a schedule means that no job has yet."""
        now = datetime.fromtimestamp(self._seconds(), UTC).replace(tzinfo=None)
        found: Preview = await self._run_in_thread(preview_of_body, request.body, now)
        return json_response({"data": {"preview": preview_shape(found, now)}})
