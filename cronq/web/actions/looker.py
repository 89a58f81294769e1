"""Looking on while a run runs: what becomes of it, and what it writes, as long as somebody wants to know."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from twisted.internet.interfaces import IReactorTime

from cronq.database.gateway import Database
from cronq.database.reading.live_output import LiveRun
from cronq.database.reading.runs import RunRecord
from cronq.domain.live_output import LEASE
from cronq.web.actions.look import Look, Part, Seen
from cronq.web.http.errors import TooMany
from cronq.web.words.wording import why_no_output

#: How many may look on at once by one web.
MOST_LOOKING = 200
#: Seconds for a runner to answer to somebody who does not stay.
PATIENCE = 3.0


@dataclass(frozen=True, slots=True)
class SoFar:
    """A run, and what there is of its output now."""

    run: RunRecord
    parts: tuple[Part, ...]
    #: Why there is not more; empty when there is nothing to say.
    remark: str

    @property
    def size(self) -> int:
        """How many bytes it has written, as far as is known."""
        return self.parts[-1].stop if self.parts else 0


class Looker:
    """Looks at runs for others. Their runners are told of it by a row, as the web knows no broker."""

    def __init__(self, database: Database, clock: IReactorTime, on_look: Callable[[], None]) -> None:
        """`on_look` is called when results may have a runner to tell."""
        self._database = database
        self._clock = clock
        self._on_look = on_look
        self._looking = 0

    def look_on(self, run_id: str, position: int) -> AsyncGenerator[Seen]:
        """All that is to be seen of a run until it is over; of its output what comes from a position on.

        Ends without `Ended` when there is no such run. Raises `TooMany`, at once.
        """
        if self._looking >= MOST_LOOKING:
            raise TooMany(f"{MOST_LOOKING} look at runs already, which is as many as may.", LEASE)
        return self._count(self._look(run_id, position).on())

    async def so_far(self, run_id: str) -> SoFar | None:
        """What there is now, for which its runner is asked; None: there is no such run."""
        look, parts = self._look(run_id), list[Part]()
        async for seen in look.now(PATIENCE):
            if isinstance(seen, LiveRun):
                return SoFar(seen.run, tuple(parts), look.remark(seen) or why_no_output(seen.run))
            parts.append(seen)
        return None

    def _look(self, run_id: str, position: int = 0) -> Look:
        return Look(self._database, self._clock, self._on_look, run_id, position)

    async def _count(self, seen: AsyncGenerator[Seen]) -> AsyncGenerator[Seen]:
        self._looking += 1
        try:
            async for each in seen:
                yield each
        finally:
            self._looking -= 1
            await seen.aclose()
