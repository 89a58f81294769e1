"""The list of jobs."""

from collections.abc import Callable
from functools import partial

from cronq.database.gateway import Database
from cronq.database.reading.job_list import ListedJob, read_job_list
from cronq.database.reading.job_order import JobOrder, JobSort, Place
from cronq.database.reading.job_pages import LOOKED_AT, Start
from cronq.database.reading.job_search import JobFilter, Search
from cronq.database.reading.overview import read_numbers
from cronq.domain.access import Role
from cronq.web.actions.by_hand import ask_for_run
from cronq.web.actions.ruling import Ruling
from cronq.web.http.errors import BadRequest
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.fields import member, whole_number
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer
from cronq.web.pages.strips import Strip, strip
from cronq.web.pages.templating import address

#: Longer words are in no name, and would be a burden to compare.
LONGEST_SEARCH = 255


class JobListPage:
    """Answers at `/`."""

    def __init__(
        self, database: Database, renderer: Renderer, ruling: Ruling, on_run_requested: Callable[[], None]
    ) -> None:
        self._database = database
        self._page = renderer.page
        self._ruling = ruling
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (
            Route("/", self.jobs, needs=Role.VIEWER),
            Route("/", self.act, ("POST",), needs=Role.OPERATOR, by_category=True),
        )

    async def jobs(self, request: Request) -> Response:
        """The jobs by category, or those that are searched for, or in another order."""
        search, order = _search(request), _order(request)
        view = await self._database.read(read_job_list, search, order, _start(request, order))

        def strip_of(job: ListedJob) -> Strip:
            return strip(job.bars, job.usual, job.latest_trouble, view.now)

        return self._page(
            request,
            "jobs.html",
            view=view,
            now=view.now,
            host=request.host,
            looked_at=LOOKED_AT,
            strip=strip_of,
            here=partial(_here, search, order),
            numbers=await self._database.read(read_numbers),
        )

    async def act(self, request: Request) -> Response:
        """Run, pause or resume one of the jobs, and go back to the list as it was."""
        caller, fields = request.caller, request.fields
        if (job_id := whole_number(request, "run")) is not None:
            await ask_for_run(self._database, request, job_id)
            self._on_run_requested()
        elif (job_id := whole_number(request, "pause")) is not None:
            said = {key: fields.get(f"{key}-{job_id}", "").strip() for key in ("until", "reason")}
            values = {key: value for key, value in said.items() if value}
            await self._ruling.perform(self._ruling.pause, job_id, caller, values)
        elif (job_id := whole_number(request, "resume")) is not None:
            await self._ruling.perform(self._ruling.resume, job_id, caller, {})
        else:
            raise BadRequest("Say what is to be done to which job: run, pause or resume, and its id.")
        return see_other(f"/?{request.query}" if request.query else "/")


def _here(search: Search, order: JobOrder, **changes: object) -> str:
    """The address of this list, or of one that differs from it in something."""
    said = {"q": search.text, "category": search.category, "state": search.state}
    said |= {"owner": search.owner, "tag": search.tag, "sort": "" if order == JobOrder() else str(order)}
    return address("/", **said | changes)


def _search(request: Request) -> Search:
    def text(name: str) -> str:
        return request.fields.get(name, "").strip()[:LONGEST_SEARCH]

    return Search(
        text("q"), text("category"), member(request, "state", JobFilter), text("owner"), text("tag")
    )


def _order(request: Request) -> JobOrder:
    try:
        return JobOrder.parse(request.fields.get("sort") or JobSort.NAME)
    except ValueError as error:
        raise BadRequest(f"sort: {error}") from error


def _start(request: Request, order: JobOrder) -> Start:
    for name in ("after", "before"):
        if text := request.fields.get(name):
            return Start(_place(order, name, text), forwards=name == "after")
    return Start()


def _place(order: JobOrder, name: str, text: str) -> Place:
    try:
        return order.parse_place(text)
    except ValueError as error:
        raise BadRequest(f"{name}: {error}") from error
