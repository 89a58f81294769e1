"""The API: what programs read and change, in JSON."""

from collections.abc import Callable
from datetime import UTC, datetime

from cronq.database.categories import replace_category
from cronq.database.gateway import Database, RunInThread
from cronq.database.reading.categories import find_category, list_categories
from cronq.database.reading.details import read_job_in_detail, read_jobs_in_detail
from cronq.database.reading.jobs import Selection, Sort
from cronq.database.reading.runners import read_runner, read_runners
from cronq.database.schema import is_current
from cronq.domain.access import Role
from cronq.domain.documents import Document, read_document
from cronq.domain.errors import DatabaseUnavailable
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.schedules.preview import Preview
from cronq.web.auditing import Auditor, audit_shape
from cronq.web.by_hand import ask_for_kill, ask_for_run
from cronq.web.door import check_category
from cronq.web.draining import drain_runner, no_such_runner
from cronq.web.errors import NotFound
from cronq.web.exchange import Request, Response, json_response
from cronq.web.fields import JOB_ID, member, segment, whole_number
from cronq.web.routing import Route
from cronq.web.runner_shapes import runner_shape
from cronq.web.schedules import preview_of_body, preview_shape
from cronq.web.shapes import category_shape, job_shape

DEFAULT_PER_PAGE, MOST_PER_PAGE = 10, 100


class Api:
    """Answers programs."""

    def __init__(
        self,
        database: Database,
        run_in_thread: RunInThread,
        on_run_requested: Callable[[], None],
        auditor: Auditor,
        seconds: Callable[[], float],
    ) -> None:
        self._database = database
        self._run_in_thread = run_in_thread
        self._on_run_requested = on_run_requested
        self._auditor = auditor
        self._seconds = seconds

    def routes(self) -> tuple[Route, ...]:
        """All addresses of the API."""
        return (
            Route("/_status", self.status, needs=None),
            Route(
                "/api/category/<name>",
                self.replace_category,
                ("PUT", "POST"),
                needs=Role.EDITOR,
                by_category=True,
            ),
            Route("/api/categories", self.categories, needs=Role.VIEWER),
            Route("/api/categories/<name>", self.category, needs=Role.VIEWER),
            Route("/api/jobs", self.jobs, needs=Role.VIEWER),
            Route(f"/api/jobs/{JOB_ID}", self.job, needs=Role.VIEWER),
            Route(f"/api/jobs/{JOB_ID}/run", self.run, ("POST",), needs=Role.OPERATOR, by_category=True),
            Route("/api/runs/<run_id>/kill", self.kill, ("POST",), needs=Role.OPERATOR, by_category=True),
            Route("/api/runners", self.runners, needs=Role.VIEWER),
            Route("/api/runners/<name>", self.runner, needs=Role.VIEWER),
            Route("/api/runners/<name>/drain", self.drain, ("POST",), needs=Role.OPERATOR),
            Route("/api/audit", self.audit, needs=Role.VIEWER),
            Route("/api/schedule/preview", self.preview, ("POST",), needs=Role.VIEWER),
        )

    async def status(self, _request: Request) -> Response:
        """Whether the database answers, and has the tables that all else needs."""
        if not await self._database.read(is_current):
            raise DatabaseUnavailable("the tables are not those of this version; injectors make them")
        return json_response({"status": "OK"})

    async def replace_category(self, request: Request, name: str) -> Response:
        """Replace what a category consists of by the document in the body."""
        category = segment(name)
        check_category(request.caller, Role.EDITOR, category)
        # Ten megabytes take seconds to check, in which this process has other things to do.
        document: Document = await self._run_in_thread(_read_document, request.body, category)
        await self._database.transact(replace_category, document.category, request.caller.actor)
        self._on_run_requested()
        warnings = {"warnings": list(document.warnings)} if document.warnings else {}
        return json_response({"status": "success", **warnings})

    async def categories(self, request: Request) -> Response:
        """All categories, or the one of an id."""
        category_id = whole_number(request, "id")
        found = await self._database.read(list_categories, category_id)
        return json_response({"data": {"categories": [category_shape(each) for each in found]}})

    async def category(self, _request: Request, name: str) -> Response:
        """The category of a name."""
        found = await self._database.read(find_category, segment(name))
        if found is None:
            raise NotFound(f"There is no category {segment(name)}.")
        return json_response({"data": {"category": category_shape(found)}})

    async def jobs(self, request: Request) -> Response:
        """A page of jobs."""
        selection = Selection(
            id=whole_number(request, "id"),
            category_id=whole_number(request, "category.id"),
            category_name=request.fields.get("category.name"),
        )
        found = await self._database.read(read_jobs_in_detail, selection, _sort(request), *_page(request))
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

    async def kill(self, request: Request, run_id: str) -> Response:
        """End a run, wherever it is."""
        message = await ask_for_kill(self._database, request, run_id)
        self._on_run_requested()
        return json_response({"success": {"message": message}})

    async def runners(self, request: Request) -> Response:
        """A page of runners, with what they run."""
        status = member(request, "status", RunnerStatus)
        view = await self._database.read(read_runners, status, *_page(request))
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

    async def audit(self, request: Request) -> Response:
        """Whether every slot of a period is accounted for."""
        found = await self._auditor.audit(request)
        return json_response({"data": {"audit": audit_shape(found)}})

    async def preview(self, request: Request) -> Response:
        """What a schedule means that no job has yet."""
        now = datetime.fromtimestamp(self._seconds(), UTC).replace(tzinfo=None)
        found: Preview = await self._run_in_thread(preview_of_body, request.body, now)
        return json_response({"data": {"preview": preview_shape(found, now)}})


def _read_document(body: bytes, category: str) -> Document:
    return read_document(body, name=category)


def _page(request: Request) -> tuple[int, int]:
    """How many there are before the page that is asked for, and how many are on it."""
    page = whole_number(request, "page") or 0
    per_page = min(whole_number(request, "per_page", least=1) or DEFAULT_PER_PAGE, MOST_PER_PAGE)
    return page * per_page, per_page


def _sort(request: Request) -> Sort:
    text = request.fields.get("sort", "")
    return Sort(text) if text in set(Sort) else Sort.ID_ASC
