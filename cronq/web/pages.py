"""The pages: what people see, rendered on the server, and usable without a script."""

from collections.abc import Callable

from cronq.database.gateway import Database
from cronq.database.reading.history import TROUBLE
from cronq.database.reading.jobs import Search
from cronq.database.reading.records import JobState
from cronq.database.reading.views import read_failures, read_job, read_job_list, read_run
from cronq.domain.access import Role
from cronq.domain.runs import Status
from cronq.web.auditing import Auditor
from cronq.web.by_hand import ask_for_run
from cronq.web.errors import BadRequest, NotFound
from cronq.web.exchange import Request, Response, see_other
from cronq.web.fields import JOB_ID, cursor, is_run_id, member, whole_number
from cronq.web.log_links import log_link
from cronq.web.rendering import Renderer
from cronq.web.routing import Route

#: Longer words are in no name, and would be a burden to compare.
LONGEST_SEARCH = 255


class Pages:
    """Answers people."""

    def __init__(
        self,
        database: Database,
        renderer: Renderer,
        log_url_template: str | None,
        on_run_requested: Callable[[], None],
        auditor: Auditor,
    ) -> None:
        self._database = database
        self._page = renderer.page
        self._log_url_template = log_url_template
        self._on_run_requested = on_run_requested
        self._auditor = auditor

    def routes(self) -> tuple[Route, ...]:
        """The addresses of all pages."""
        return (
            Route("/", self.jobs, needs=Role.VIEWER),
            Route(f"/job/{JOB_ID}", self.job, needs=Role.VIEWER),
            Route(f"/job/{JOB_ID}", self.run_job, ("POST",), needs=Role.OPERATOR, by_category=True),
            Route("/run/<run_id>", self.run, needs=Role.VIEWER),
            Route("/failures", self.failures, needs=Role.VIEWER),
            Route("/audit", self.audit, needs=Role.VIEWER),
        )

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
        await ask_for_run(self._database, request.caller, job_id)
        self._on_run_requested()
        return see_other(f"/job/{job_id}")

    async def run(self, request: Request, run_id: str) -> Response:
        """A run, step by step."""
        view = await self._database.read(read_run, run_id) if is_run_id(run_id) else None
        if view is None:
            raise NotFound("There is no such run; it may have been pruned.")
        link = log_link(self._log_url_template, view.run, view.now)
        return self._page(request, "run.html", view=view, now=view.now, log_link=link)

    async def failures(self, request: Request) -> Response:
        """Runs of all jobs that came to no good end."""
        status = member(request, "status", Status)
        if status is not None and status not in TROUBLE:
            raise BadRequest(f"status: {status} is no failure")
        view = await self._database.read(read_failures, cursor(request, "older"), status)
        return self._page(request, "failures.html", view=view, now=view.now, statuses=TROUBLE)

    async def audit(self, request: Request) -> Response:
        """Whether every slot of a period is accounted for."""
        view = await self._auditor.audit(request)
        return self._page(request, "audit.html", view=view, now=view.now)
