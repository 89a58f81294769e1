"""The output of runs, for programs: as it is now, and as it comes."""

import json
from collections.abc import AsyncGenerator

from cronq.database.gateway import Database
from cronq.database.reading.history import find_run
from cronq.domain.access import Role
from cronq.domain.live_output import LeftOut, Written
from cronq.web.actions.look import Became, Ended, Remark, Seen
from cronq.web.actions.looker import Looker
from cronq.web.api.run_shapes import output_shape, part_shape
from cronq.web.api.shapes import run_shape
from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import Request, Response, json_response, text_response
from cronq.web.http.fields import is_run_id, position
from cronq.web.http.routing import Route
from cronq.web.http.streams import Event, EventStream
from cronq.web.words.outputs import as_text


class OutputApi:
    """Answers at `/api/runs/<run_id>/output` and `/api/runs/<run_id>/stream`."""

    def __init__(self, database: Database, looker: Looker) -> None:
        self._database = database
        self._looker = looker

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/api/runs/<run_id>/output", self.output, needs=Role.VIEWER),
            Route("/api/runs/<run_id>/stream", self.stream, needs=Role.VIEWER),
        )

    async def output(self, request: Request, run_id: str) -> Response:
        """What there is of the output of a run, also while it runs."""
        found = await self._looker.so_far(run_id) if is_run_id(run_id) else None
        if found is None:
            raise NotFound("There is no such run; it may have been pruned.")
        if request.prefers_text:
            return text_response(as_text(found.parts))
        return json_response({"data": {"output": output_shape(found)}})

    async def stream(self, request: Request, run_id: str) -> EventStream:
        """What becomes of a run and what it writes, as it comes, until it is over."""
        if not is_run_id(run_id) or await self._database.read(find_run, run_id) is None:
            raise NotFound("There is no such run; it may have been pruned.")
        return EventStream(_events(self._looker.look_on(run_id, position(request))))


async def _events(seen: AsyncGenerator[Seen]) -> AsyncGenerator[Event]:
    try:
        async for each in seen:
            yield _event(each)
    finally:
        await seen.aclose()


def _event(seen: Seen) -> Event:
    match seen:
        case Became(run):
            return Event(json.dumps(run_shape(run, ())), "state")
        case Ended(run):
            return Event(json.dumps(run_shape(run, ())), "end")
        case Remark(text):
            return Event(json.dumps({"message": text}), "remark")
        case Written():
            return Event(json.dumps(part_shape(seen)), "output", str(seen.stop))
        case LeftOut():
            return Event(json.dumps(part_shape(seen)), "gap", str(seen.stop))
