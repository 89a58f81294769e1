"""The pages: what people see, rendered on the server, and usable without a script."""

from collections.abc import Callable

from cronq.database.gateway import Database
from cronq.database.reading.history import TROUBLE
from cronq.database.reading.jobs import Search
from cronq.database.reading.records import JobState
from cronq.database.reading.runners import read_runner, read_runner_list
from cronq.database.reading.views import read_failures, read_job, read_job_list, read_run
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.runs import Status
from cronq.web.auditing import Auditor
from cronq.web.by_hand import ask_for_run
from cronq.web.draining import drain_runner, no_such_runner
from cronq.web.errors import BadRequest, NotFound
from cronq.web.exchange import Request, Response, html_response, see_other
from cronq.web.fields import JOB_ID, cursor, is_run_id, job_path, member, runner_path, segment, whole_number
from cronq.web.form_tokens import FIELD, check_token, issue_token
from cronq.web.log_links import log_link
from cronq.web.routing import Route
from cronq.web.secret_key import SecretKey
from cronq.web.templating import Templates

#: Longer words are in no name, and would be a burden to compare.
LONGEST_SEARCH = 255
RUNNERS_ON_A_PAGE = 50
#: Of one runner, that are shown.
MOST_RUNS = 100


class Pages:
    """Answers people; `seconds` is the clock that form tokens are dated by."""

    def __init__(
        self,
        database: Database,
        templates: Templates,
        secret_key: SecretKey,
        log_url_template: str | None,
        seconds: Callable[[], float],
        on_run_requested: Callable[[], None],
        auditor: Auditor,
    ) -> None:
        self._database = database
        self._templates = templates
        self._secret_key = secret_key
        self._log_url_template = log_url_template
        self._seconds = seconds
        self._on_run_requested = on_run_requested
        self._auditor = auditor

    def routes(self) -> tuple[Route, ...]:
        """The addresses of all pages."""
        return (
            Route("/", self.jobs),
            Route(f"/job/{JOB_ID}", self.job),
            Route(f"/job/{JOB_ID}", self.run_job, ("POST",)),
            Route("/run/<run_id>", self.run),
            Route("/runners", self.runners),
            Route("/runner/<name>", self.runner),
            Route("/runner/<name>", self.drain, ("POST",)),
            Route("/failures", self.failures),
            Route("/audit", self.audit),
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
        return self._page("jobs.html", view=view, now=view.now, host=request.host)

    async def job(self, request: Request, job_id: int) -> Response:
        """A job and its runs."""
        view = await self._database.read(read_job, job_id, cursor(request, "older"))
        if view is None:
            raise NotFound(f"There is no job {job_id}.")
        token = issue_token(await self._secret_key.find(), job_path(job_id), self._seconds())
        return self._page("job.html", view=view, now=view.now, token=token)

    async def run_job(self, request: Request, job_id: int) -> Response:
        """Ask for a run by hand, and go back to the job."""
        path = job_path(job_id)
        # A script that says nothing of tokens may do this, as it could in 0.27; a wrong token is a forgery.
        if FIELD in request.fields:
            check_token(await self._secret_key.find(), request.fields[FIELD], path, self._seconds())
        if request.fields.get("run_now") != "1":
            raise BadRequest("To run a job, send run_now=1.")
        await ask_for_run(self._database, job_id)
        self._on_run_requested()
        return see_other(path)

    async def run(self, _request: Request, run_id: str) -> Response:
        """A run, step by step."""
        view = await self._database.read(read_run, run_id) if is_run_id(run_id) else None
        if view is None:
            raise NotFound("There is no such run; it may have been pruned.")
        link = log_link(self._log_url_template, view.run, view.now)
        return self._page("run.html", view=view, now=view.now, log_link=link)

    async def runners(self, request: Request) -> Response:
        """The runners, those that are up first."""
        status = member(request, "status", RunnerStatus)
        page = whole_number(request, "page") or 0
        view, counts = await self._database.read(
            read_runner_list, status, page * RUNNERS_ON_A_PAGE, RUNNERS_ON_A_PAGE
        )
        return self._page("runners.html", view=view, now=view.now, counts=counts, status=status, page=page)

    async def runner(self, _request: Request, name: str) -> Response:
        """A runner and what it runs."""
        view = await self._database.read(read_runner, segment(name))
        if view is None:
            raise no_such_runner(segment(name))
        path = runner_path(segment(name))
        token = issue_token(await self._secret_key.find(), path, self._seconds())
        return self._page("runner.html", view=view, now=view.now, token=token, most=MOST_RUNS)

    async def drain(self, request: Request, name: str) -> Response:
        """Order a runner to drain, and go back to it."""
        path = runner_path(segment(name))
        check_token(await self._secret_key.find(), request.fields.get(FIELD, ""), path, self._seconds())
        await drain_runner(self._database, segment(name))
        return see_other(path)

    async def failures(self, request: Request) -> Response:
        """Runs of all jobs that came to no good end."""
        status = member(request, "status", Status)
        if status is not None and status not in TROUBLE:
            raise BadRequest(f"status: {status} is no failure")
        view = await self._database.read(read_failures, cursor(request, "older"), status)
        return self._page("failures.html", view=view, now=view.now, statuses=TROUBLE)

    async def audit(self, request: Request) -> Response:
        """Whether every slot of a period is accounted for."""
        view = await self._auditor.audit(request)
        return self._page("audit.html", view=view, now=view.now)

    def _page(self, name: str, **values: object) -> Response:
        return html_response(self._templates.render(name, **values))
