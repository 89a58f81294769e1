"""The page of a job."""

from collections.abc import Callable

from cronq.database.gateway import Database
from cronq.database.reading.views import read_job
from cronq.domain.access import Role
from cronq.web.actions.by_hand import ask_for_run, want_run
from cronq.web.http.errors import BadRequest, NotFound
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.fields import JOB_ID, cursor, job_path
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer


class JobPage:
    """Answers at `/job/<id>`."""

    def __init__(self, database: Database, renderer: Renderer, on_run_requested: Callable[[], None]) -> None:
        self._database = database
        self._page = renderer.page
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route(f"/job/{JOB_ID}", self.job, needs=Role.VIEWER),
            Route(f"/job/{JOB_ID}", self.run_job, ("POST",), needs=Role.OPERATOR, by_category=True),
        )

    async def job(self, request: Request, job_id: int) -> Response:
        """A job and its runs."""
        view = await self._database.read(read_job, job_id, cursor(request, "older"))
        if view is None:
            raise NotFound(f"There is no job {job_id}.")
        return self._page(request, "job.html", view=view, now=view.now)

    async def run_job(self, request: Request, job_id: int) -> Response:
        """Ask for a run by hand, and go back to the job."""
        if request.fields.get("run_now") != "1":
            raise BadRequest("To run a job, send run_now=1.")
        if set(request.fields) == {"run_now"}:  # as scripts for 0.27 have it
            await want_run(self._database, request.caller, job_id)
        else:
            await ask_for_run(self._database, request, job_id)
        self._on_run_requested()
        return see_other(job_path(job_id))
