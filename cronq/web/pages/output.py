"""The output of a run for people: as a page shows it while it comes, and as plain text."""

import json
from collections.abc import AsyncGenerator, Iterable

from cronq.database.gateway import Database
from cronq.database.reading.history import find_run
from cronq.database.reading.runs import RunRecord
from cronq.domain.access import Role
from cronq.domain.live_output import LeftOut, Written
from cronq.web.actions.look import Became, Ended, Remark, Seen
from cronq.web.actions.looker import Looker
from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import Request, Response, text_response
from cronq.web.http.fields import is_run_id, position
from cronq.web.http.routing import Route
from cronq.web.http.streams import Event, EventStream, TextStream
from cronq.web.words.outputs import as_text, gap_in_words, part_as_text
from cronq.web.words.terminal import Painter, Span
from cronq.web.words.wording import status_word


class OutputPages:
    """Answers at `/run/<run_id>/stream` and `/run/<run_id>/output.txt`."""

    def __init__(self, database: Database, looker: Looker) -> None:
        self._database = database
        self._looker = looker

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/run/<run_id>/stream", self.stream, needs=Role.VIEWER),
            Route("/run/<run_id>/output.txt", self.text, needs=Role.VIEWER),
        )

    async def stream(self, request: Request, run_id: str) -> EventStream:
        """What the page of a run shows as it comes."""
        await self._find(run_id)
        return EventStream(_events(self._looker.look_on(run_id, position(request))))

    async def text(self, request: Request, run_id: str) -> Response | TextStream:
        """The output as plain text: what there is now or, with `follow`, also what comes and the end."""
        await self._find(run_id)
        if "follow" in request.fields:
            return TextStream(_text(self._looker.look_on(run_id, 0)))
        found = await self._looker.so_far(run_id)
        return text_response(as_text(found.parts if found else ()))

    async def _find(self, run_id: str) -> RunRecord:
        run = await self._database.read(find_run, run_id) if is_run_id(run_id) else None
        if run is None:
            raise NotFound("There is no such run; it may have been pruned.")
        return run


async def _text(seen: AsyncGenerator[Seen]) -> AsyncGenerator[str]:
    try:
        async for each in seen:
            if isinstance(each, Written | LeftOut):
                yield part_as_text(each)
            elif isinstance(each, Remark) and each.text:
                yield f"[{each.text}]\n"
            elif isinstance(each, Ended):
                yield f"\n[The run is over: {status_word(each.run.status)}.]\n"
    finally:
        await seen.aclose()


async def _events(seen: AsyncGenerator[Seen]) -> AsyncGenerator[Event]:
    """The same as `Seen` says, painted."""
    painter, whole = Painter(), True
    try:
        async for each in seen:
            match each:
                case Became(run):
                    yield _event("state", status=run.status)
                case Written():
                    spans = painter.paint(each.pieces, more=True)
                    yield _event("output", each.stop, spans=_pairs(spans))
                case LeftOut():
                    yield _event("gap", each.stop, spans=_pairs(painter.paint(())), text=gap_in_words(each))
                    painter = Painter()
                case Remark(text):
                    yield _event("remark", text=text)
                case Ended(run):
                    yield _event("end", status=run.status, spans=_pairs(painter.paint(())), whole=whole)
            whole = not isinstance(each, LeftOut)
    finally:
        await seen.aclose()


def _event(name: str, stop: int | None = None, **data: object) -> Event:
    return Event(json.dumps(data), name, "" if stop is None else str(stop))


def _pairs(spans: Iterable[Span]) -> list[list[str]]:
    return [[span.text, span.classes] for span in spans]
