"""Jobs, for programs."""

from collections.abc import Callable

from cronq.database.gateway import Database
from cronq.database.reading.details import read_job_in_detail, read_jobs_in_detail
from cronq.database.reading.jobs import Selection, Sort
from cronq.domain.access import Role
from cronq.web.actions.by_hand import ask_for_run
from cronq.web.api.paging import page_of
from cronq.web.api.shapes import job_shape
from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.fields import JOB_ID, whole_number
from cronq.web.http.routing import Route


class JobsApi:
    """Answers at `/api/jobs`."""

    def __init__(self, database: Database, on_run_requested: Callable[[], None]) -> None:
        self._database = database
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/api/jobs", self.jobs, needs=Role.VIEWER),
            Route(f"/api/jobs/{JOB_ID}", self.job, needs=Role.VIEWER),
            Route(f"/api/jobs/{JOB_ID}/run", self.run, ("POST",), needs=Role.OPERATOR, by_category=True),
        )

    async def jobs(self, request: Request) -> Response:
        """A page of jobs."""
        selection = Selection(
            id=whole_number(request, "id"),
            category_id=whole_number(request, "category.id"),
            category_name=request.fields.get("category.name"),
        )
        found = await self._database.read(read_jobs_in_detail, selection, _sort(request), *page_of(request))
        return json_response({"data": {"jobs": [job_shape(each) for each in found]}})

    async def job(self, _request: Request, job_id: int) -> Response:
        """A job, also when it is removed."""
        found = await self._database.read(read_job_in_detail, job_id)
        if found is None:
            raise NotFound(f"There is no job {job_id}.")
        return json_response({"data": {"job": job_shape(found)}})

    async def run(self, request: Request, job_id: int) -> Response:
        """Ask for one run by hand."""
        made = await ask_for_run(self._database, request, job_id)
        self._on_run_requested()
        message = f"Job submitted at {made.asked_at}"
        return json_response({"success": {"message": message, "run_id": made.run_id}})


def _sort(request: Request) -> Sort:
    text = request.fields.get("sort", "")
    return Sort(text) if text in set(Sort) else Sort.ID_ASC
