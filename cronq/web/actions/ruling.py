"""What people ask of a job: pauses, skips, backfills, acknowledgements; programs and forms alike."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from cronq.database import gateway
from cronq.database.acknowledging import acknowledge, unacknowledge
from cronq.database.gateway import Database
from cronq.database.pausing import Skip, pause_job, resume_job, skip_next, unskip_next
from cronq.database.reading.records import find_job
from cronq.domain.access import Caller, Role
from cronq.domain.asking import ASKING_KEYS, read_asking
from cronq.domain.document_parts import Key
from cronq.domain.document_values import Text
from cronq.domain.errors import BadDocument, BadSchedule, CronqError, NotPossible
from cronq.domain.moments import parse_moment_ahead
from cronq.domain.pauses import FOR_EVER
from cronq.web.actions.asking import said
from cronq.web.actions.backfilling import KEYS, STOP_KEYS, Backfills
from cronq.web.http.errors import BadRequest, Conflict, NotFound
from cronq.web.http.exchange import Request, Response, json_response, see_other
from cronq.web.http.fields import JOB_ID, job_path
from cronq.web.http.routing import Route
from cronq.web.safety.door import check_category
from cronq.web.words.times import exact

PAUSE_KEYS: Mapping[str, Key] = {
    **ASKING_KEYS,
    "until": Key(Text("When it ends, as an instant or as a duration from now.", longest=100)),
}

T = TypeVar("T")

#: What a person can mend who has sent a form of the page of a job.
MENDABLE = (BadDocument, BadRequest, Conflict, NotPossible)
#: Does something about a job, given who asks and what was said, and gives a sentence about it.
Deed = Callable[[int, Caller, dict[str, Any]], Awaitable[str]]


#: Shows the page of a job again, with what is wrong with what a form of it asks for.
Refuse = Callable[[Request, int, str, CronqError], Awaitable[Response]]


class Ruling:
    """Answers programs with a sentence, and forms with the page of the job or that of failures."""

    def __init__(self, database: Database, on_run_requested: Callable[[], None], refuse: Refuse) -> None:
        """`refuse` is given the request, the job, the deed and the error."""
        self._database = database
        self._refuse = refuse
        self._backfills = Backfills(database)
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Each deed has an address for programs and one for forms."""
        deeds: dict[str, tuple[Deed, Mapping[str, Key]]] = {
            "pause": (self.pause, PAUSE_KEYS),
            "resume": (self.resume, ASKING_KEYS),
            "skip-next": (self.skip_next, ASKING_KEYS),
            "unskip-next": (self.unskip_next, ASKING_KEYS),
            "acknowledge": (self.acknowledge, ASKING_KEYS),
            "unacknowledge": (self.unacknowledge, ASKING_KEYS),
            "backfill": (self._backfills.begin, KEYS),
            "stop-backfill": (self._backfills.stop, STOP_KEYS),
        }
        found = [Route(f"/api/jobs/{JOB_ID}/backfills", self._backfills.list, needs=Role.VIEWER)]
        for name, (deed, keys) in deeds.items():
            on_page = (
                self._answering(deed, keys, _with_failures)
                if "acknowledge" in name
                else self._on_page(name, deed, keys)
            )
            for place, answers in (
                ("/api/jobs", self._answering(deed, keys, _in_json)),
                ("/job", on_page),
            ):
                path = f"{place}/{JOB_ID}/{name}"
                found.append(Route(path, answers, ("POST",), needs=Role.OPERATOR, by_category=True))
        return tuple(found)

    async def perform(self, deed: Deed, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """Do it, if there is such a job and the caller may; raises `NotFound` and `Refused` besides."""
        job = await self._database.read(find_job, job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.")
        check_category(caller, Role.OPERATOR, job.category.name if job.category else None)
        message = await deed(job_id, caller, values)
        self._on_run_requested()
        return message

    async def pause(self, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """Skip its slots from now on."""
        asking, until = read_asking(values, PAUSE_KEYS), values.get("until", "").strip()
        end = await self._moment_ahead("until", until) if until else None
        changed = await self._do(pause_job, job_id, end, asking.why, caller.actor)
        already = "" if changed else " already"
        return f"Job {job_id} is paused{already} until {exact(end) if end else 'it is resumed'}."

    async def resume(self, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """End what `pause` began."""
        read_asking(values)
        changed = await self._do(resume_job, job_id, caller.actor)
        job = await self._database.read(find_job, job_id)
        now = await self._database.read(gateway.now)
        if job is not None and (pause := job.pause(now)) is not None:
            until = "" if pause.end >= FOR_EVER else f" until {exact(pause.end)}"
            raise Conflict(f"Its document keeps job {job_id} from running{until}: change it there.")
        return f"Job {job_id} goes on." if changed else f"Job {job_id} is not paused; nothing was to be done."

    async def skip_next(self, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """Skip its next slot."""
        read_asking(values)
        skip: Skip = await self._do(skip_next, job_id, caller.actor)
        if skip.slot is not None:
            already = " already; nothing was to be done" if skip.again else ""
            return f"Job {job_id} will skip its slot at {exact(skip.slot)}{already}."
        job = await self._database.read(find_job, job_id)
        if job is not None and job.schedule() is None:
            raise Conflict(f"Job {job_id} has no schedule, so it has no slots that could be skipped.")
        raise Conflict(f"Job {job_id} has no slots any more.")

    async def unskip_next(self, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """Let it run after all."""
        read_asking(values)
        if await self._do(unskip_next, job_id, caller.actor):
            return f"Job {job_id} will skip no slot."
        return f"Job {job_id} skips no slot; nothing was to be done."

    async def acknowledge(self, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """Say that somebody knows that it fails."""
        asking = read_asking(values)
        who = caller.actor.name or asking.by
        if not await self._do(acknowledge, job_id, asking.reason, who, caller.actor):
            raise Conflict(f"Job {job_id} does not fail, so there is nothing to acknowledge.")
        return f"The failures of job {job_id} are acknowledged until it succeeds again."

    async def unacknowledge(self, job_id: int, caller: Caller, values: dict[str, Any]) -> str:
        """Take that back."""
        read_asking(values)
        if not await self._database.transact(unacknowledge, job_id, caller.actor):
            raise Conflict(f"The failures of job {job_id} are not acknowledged.")
        return f"The failures of job {job_id} are no longer acknowledged."

    async def _do(self, change: Callable[..., T | None], job_id: int, *said: Any) -> T:
        """What a change of a job gives, if there is such a job in its category."""
        found = await self._database.transact(change, job_id, *said)
        if found is not None:
            return found
        if await self._database.read(find_job, job_id) is None:
            raise NotFound(f"There is no job {job_id}.")
        raise Conflict(f"Job {job_id} is removed from its category.")

    def _answering(
        self, deed: Deed, keys: Mapping[str, Key], answer: Callable[[int, str], Response]
    ) -> Callable[..., Awaitable[Response]]:
        async def do(request: Request, job_id: int) -> Response:
            return answer(job_id, await self.perform(deed, job_id, request.caller, said(request, keys)))

        do.__doc__ = deed.__doc__
        return do

    def _on_page(self, name: str, deed: Deed, keys: Mapping[str, Key]) -> Callable[..., Awaitable[Response]]:
        async def do(request: Request, job_id: int) -> Response:
            try:
                await self.perform(deed, job_id, request.caller, said(request, keys))
            except MENDABLE as error:
                return await self._refuse(request, job_id, name, error)
            return see_other(job_path(job_id))

        do.__doc__ = deed.__doc__
        return do

    async def _moment_ahead(self, name: str, text: str) -> datetime:
        now = await self._database.read(gateway.now)
        try:
            moment = parse_moment_ahead(text, now)
        except BadSchedule as error:
            raise BadRequest(f"{name}: {error}") from error
        if moment <= now:
            raise BadRequest(f"{name}: {exact(moment)} has passed")
        return moment


def _in_json(_job_id: int, message: str) -> Response:
    return json_response({"success": {"message": message}})


def _with_failures(_job_id: int, _message: str) -> Response:
    return see_other("/failures")
