"""The page of a job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from cronq.database.gateway import Database
from cronq.database.reading.cursors import Place
from cronq.database.reading.job_page import read_job
from cronq.database.reading.job_runs import JobRunSearch
from cronq.domain.access import Role
from cronq.domain.document_values import shown
from cronq.domain.errors import CronqError, NotPossible
from cronq.domain.runs import Status
from cronq.web.actions.by_hand import ask_for_run, want_run
from cronq.web.actions.ruling import MENDABLE
from cronq.web.http.errors import BadRequest, Conflict, NotFound, WebError
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.fields import JOB_ID, cursor, job_path, member
from cronq.web.http.routing import Route
from cronq.web.pages.calendar import calendar
from cronq.web.pages.durations import duration_chart
from cronq.web.pages.rendering import Renderer

#: Nobody has run anything before that, or will after that.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9000, 1, 1)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why what a form of the page asks for is not done."""

    deed: str
    message: str
    #: What was typed in it.
    fields: Mapping[str, str]

    def typed(self, deed: str, name: str) -> str:
        """What was typed in a field of the form for a deed."""
        return self.fields.get(name, "") if deed == self.deed else ""


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
        return await self._show(request, job_id, _search(request), _place(request))

    async def refuse(self, request: Request, job_id: int, deed: str, error: CronqError) -> Response:
        """The page again, with what is wrong beside the form that was sent, and what was typed in it.

        Raises `NotFound`.
        """
        refused = Refusal(deed, str(error), request.fields)
        code = error.code if isinstance(error, WebError) else 400
        code = Conflict.code if isinstance(error, NotPossible) else code
        return await self._show(request, job_id, JobRunSearch(), Place(), refused, code)

    async def _show(
        self,
        request: Request,
        job_id: int,
        search: JobRunSearch,
        place: Place,
        refused: Refusal | None = None,
        code: int = 200,
    ) -> Response:
        view = await self._database.read(read_job, job_id, search, place)
        if view is None:
            raise NotFound(f"There is no job {job_id}.")
        timeout = view.view.job.rules.timeout
        return self._page(
            request,
            "job.html",
            code,
            refused=refused,
            view=view,
            now=view.now,
            calendar=calendar(view.days),
            chart=duration_chart(view.timed, view.usual, timeout, view.now),
            statuses=list(Status),
            beside=_beside(view.search.day),
        )

    async def run_job(self, request: Request, job_id: int) -> Response:
        """Ask for a run by hand, and go back to the job."""
        if request.fields.get("run_now") != "1":
            raise BadRequest("To run a job, send run_now=1.")
        if set(request.fields) == {"run_now"}:  # as scripts for 0.27 have it
            await want_run(self._database, request.caller, job_id)
        else:
            try:
                await ask_for_run(self._database, request, job_id)
            except MENDABLE as error:
                return await self.refuse(request, job_id, "run", error)
        self._on_run_requested()
        return see_other(job_path(job_id))


def _search(request: Request) -> JobRunSearch:
    by_hand = request.fields.get("by_hand", "")
    if by_hand not in {"", "1"}:
        raise BadRequest(f"by_hand: expected 1 or nothing, found {shown(by_hand)}")
    return JobRunSearch(member(request, "state", Status), bool(by_hand), _day(request))


def _day(request: Request) -> date | None:
    text = request.fields.get("day", "")
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        day = date.min
    if day is not None and not FIRST_DAY <= day <= LAST_DAY:
        raise BadRequest(f"day: expected a date such as 2026-03-04, found {shown(text)}")
    return day


def _beside(day: date | None) -> tuple[date, date] | None:
    """The day before and the day after."""
    return None if day is None else (day - timedelta(days=1), day + timedelta(days=1))


def _place(request: Request) -> Place:
    if "newer" in request.fields:
        return Place(cursor(request, "newer"), newer=True)
    return Place(cursor(request, "older"))
