"""The page of a run."""

from collections.abc import Callable, Iterable

from cronq.database.gateway import Database
from cronq.database.reading.run_view import read_run
from cronq.domain.access import Role
from cronq.domain.live_output import LeftOut, read_kept
from cronq.web.actions.by_hand import ask_for_kill, ask_for_run_again
from cronq.web.actions.look import Part
from cronq.web.actions.looker import Looker
from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.fields import is_run_id
from cronq.web.http.routing import Route
from cronq.web.pages.log_links import log_link
from cronq.web.pages.rendering import Renderer
from cronq.web.words.outputs import gap_in_words
from cronq.web.words.terminal import Painter, Span


class RunPage:
    """Answers at `/run/<run_id>`."""

    def __init__(
        self,
        database: Database,
        renderer: Renderer,
        looker: Looker,
        log_url_template: str | None,
        on_run_requested: Callable[[], None],
    ) -> None:
        self._database = database
        self._page = renderer.page
        self._looker = looker
        self._log_url_template = log_url_template
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/run/<run_id>", self.run, needs=Role.VIEWER),
            Route("/run/<run_id>/kill", self.kill_run, ("POST",), needs=Role.OPERATOR, by_category=True),
            Route("/run/<run_id>/again", self.run_again, ("POST",), needs=Role.OPERATOR, by_category=True),
        )

    async def run(self, request: Request, run_id: str) -> Response:
        """A run, step by step; with `so_far`, also what one that has not ended has written until now."""
        view = await self._database.read(read_run, run_id) if is_run_id(run_id) else None
        if view is None:
            raise NotFound("There is no such run; it may have been pruned.")
        wanted = "so_far" in request.fields and not view.run.status.final
        so_far = await self._looker.so_far(run_id) if wanted else None
        kept = read_kept(view.output) if view.output else ()
        return self._page(
            request,
            "run.html",
            view=view,
            now=view.now,
            log_link=log_link(self._log_url_template, view.run, view.now),
            so_far=so_far,
            written=_painted(so_far.parts if so_far else kept),
        )

    async def kill_run(self, request: Request, run_id: str) -> Response:
        """End a run, and go back to it."""
        await ask_for_kill(self._database, request, run_id)
        self._on_run_requested()
        return see_other(f"/run/{run_id}")

    async def run_again(self, request: Request, run_id: str) -> Response:
        """Run the job of a run once more, with the same arguments and variables, and go to that run."""
        made = await ask_for_run_again(self._database, request, run_id)
        self._on_run_requested()
        return see_other(f"/run/{made.run_id}")


def _painted(parts: Iterable[Part]) -> list[tuple[Span | None, str]]:
    """Output as spans, and where some is missing, how much."""
    found: list[tuple[Span | None, str]] = []
    for part in parts:
        if isinstance(part, LeftOut):
            found.append((None, gap_in_words(part)))
        else:
            found += [(span, "") for span in Painter().paint(part.pieces)]
    return found
