"""The pages: what people see, rendered on the server, and usable without a script."""

from collections.abc import Callable

from cronq.database.gateway import Database
from cronq.database.reading.history import TROUBLE
from cronq.database.reading.jobs import Search
from cronq.database.reading.records import JobState
from cronq.database.reading.runners import read_runner, read_runner_list
from cronq.database.reading.views import read_failures, read_job, read_job_list, read_run
from cronq.domain.access import Role
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.runs import Status
from cronq.web.auditing import Auditor
from cronq.web.by_hand import ask_for_kill, ask_for_run, want_run
from cronq.web.draining import drain_runner, no_such_runner
from cronq.web.errors import BadRequest, NotFound
from cronq.web.exchange import Request, Response, see_other
from cronq.web.fields import JOB_ID, cursor, is_run_id, job_path, member, runner_path, segment, whole_number
from cronq.web.log_links import log_link
from cronq.web.rendering import Renderer
from cronq.web.routing import Route

#: Longer words are in no name, and would be a burden to compare.
LONGEST_SEARCH = 255
RUNNERS_ON_A_PAGE = 50
#: Of one runner, that are shown.
MOST_RUNS = 100


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
            Route("/run/<run_id>/kill", self.kill_run, ("POST",), needs=Role.OPERATOR, by_category=True),
            Route("/runners", self.runners, needs=Role.VIEWER),
            Route("/runner/<name>", self.runner, needs=Role.VIEWER),
            Route("/runner/<name>", self.drain, ("POST",), needs=Role.OPERATOR),
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
        if set(request.fields) == {"run_now"}:  # as scripts for 0.27 have it
            await want_run(self._database, request.caller, job_id)
        else:
            await ask_for_run(self._database, request, job_id)
        self._on_run_requested()
        return see_other(job_path(job_id))

    async def run(self, request: Request, run_id: str) -> Response:
        """A run, step by step."""
        view = await self._database.read(read_run, run_id) if is_run_id(run_id) else None
        if view is None:
            raise NotFound("There is no such run; it may have been pruned.")
        link = log_link(self._log_url_template, view.run, view.now)
        return self._page(request, "run.html", view=view, now=view.now, log_link=link, trouble=TROUBLE)

    async def kill_run(self, request: Request, run_id: str) -> Response:
        """End a run, and go back to it."""
        await ask_for_kill(self._database, request, run_id)
        self._on_run_requested()
        return see_other(f"/run/{run_id}")

    async def runners(self, request: Request) -> Response:
        """The runners, those that are up first."""
        status = member(request, "status", RunnerStatus)
        page = whole_number(request, "page") or 0
        view, counts = await self._database.read(
            read_runner_list, status, page * RUNNERS_ON_A_PAGE, RUNNERS_ON_A_PAGE
        )
        return self._page(
            request, "runners.html", view=view, now=view.now, counts=counts, status=status, page=page
        )

    async def runner(self, request: Request, name: str) -> Response:
        """A runner and what it runs."""
        view = await self._database.read(read_runner, segment(name))
        if view is None:
            raise no_such_runner(segment(name))
        path = runner_path(segment(name))
        return self._page(request, "runner.html", view=view, now=view.now, path=path, most=MOST_RUNS)

    async def drain(self, request: Request, name: str) -> Response:
        """Order a runner to drain, and go back to it."""
        await drain_runner(self._database, request.caller, segment(name))
        return see_other(runner_path(segment(name)))

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
