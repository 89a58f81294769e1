"""One look at a run: what is new since the last time, and why there may be nothing."""

from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from cronq.database.gateway import Database
from cronq.database.live_output import view_run
from cronq.database.reading.live_output import LiveRun, read_live
from cronq.database.reading.runs import RunRecord
from cronq.domain.live_output import LEASE, LeftOut, Written, read_kept, read_on
from cronq.domain.runs import Status

#: Seconds from one look to the next: as long as there is something new, and after a long silence.
SHORTEST, LONGEST = 0.5, 2.0
#: Seconds for which the last words of a run may be under way when its end is known already.
LAST_WORDS = 2.0
#: Until it is said that a runner does not answer, and that nothing is heard of it any more.
FIRST_PATIENCE, PATIENCE = timedelta(seconds=5), timedelta(seconds=LEASE)
#: When it has to be said again that somebody looks, before that is forgotten.
RENEW = timedelta(seconds=LEASE - 10)
#: What was heard of a runner so shortly before somebody came is good enough for them.
RECENT = timedelta(seconds=15)

NOT_KEPT = "Its job wants nothing kept of its output (output_limit 0), so nothing of it is shown."
OLD_RUNNER = "It runs on a runner of cronq 0.27, which passes no output on."
TOO_MANY = "The output of so many runs is looked at now that this one has to wait."
NO_ANSWER = (
    "Its runner has not answered yet. One of an earlier version shows its output at the end only; else look"
    " whether broker and results are up."
)
SILENT = "Nothing is heard of its runner just now."


@dataclass(frozen=True, slots=True)
class Became:
    """The run is like that from now on; told at the beginning, too."""

    run: RunRecord


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over, and all of its output that there is has been told."""

    run: RunRecord


@dataclass(frozen=True, slots=True)
class Remark:
    """Why there is no output to be seen just now; empty: there is again."""

    text: str


Part = Written | LeftOut
Seen = Became | Part | Remark | Ended


class Look:
    """Goes on from where it was."""

    def __init__(
        self,
        database: Database,
        clock: IReactorTime,
        on_look: Callable[[], None],
        run_id: str,
        position: int = 0,
    ) -> None:
        """`position` is that of the first byte that is wanted; `on_look` as for `Looker`."""
        self._database = database
        self._clock = clock
        self._on_look = on_look
        self._run_id = run_id
        self._position = position
        #: When it was first seen running.
        self._began: datetime | None = None
        self._refused = False

    async def on(self) -> AsyncGenerator[Seen]:
        """All that is to be seen until the run is over."""
        status, remark, pause = None, "", SHORTEST
        while (live := await self._read()) is not None:
            if live.run.status is not status:
                status, pause = live.run.status, SHORTEST
                yield Became(live.run)
            if live.run.status.final:
                async for part in self._last_words(live):
                    yield part
                yield Ended(live.run)
                return
            pause = min(pause * 1.25, LONGEST)
            for part in self._new(live):
                pause = SHORTEST
                yield part
            await self._say_that_one_looks(live)
            if (why := self.remark(live)) != remark:
                remark = why
                yield Remark(remark)
            await deferLater(self._clock, 0 if live.more else pause)

    async def now(self, patience: float) -> AsyncGenerator[Part | LiveRun]:
        """What there is, and at the end how the run was then; its runner has so many seconds to answer."""
        deadline = self._clock.seconds() + patience
        while (live := await self._read()) is not None:
            if live.run.status.final:
                async for part in self._last_words(live):
                    yield part
            for part in self._new(live):
                yield part
            await self._say_that_one_looks(live)
            waited = self._clock.seconds() >= deadline
            if not live.more and (waited or self._is_heard(live) or not is_shown(live)):
                yield live
                return
            await deferLater(self._clock, 0 if live.more else SHORTEST / 2)

    def remark(self, live: LiveRun) -> str:
        """Why there is nothing to be seen, if there is a reason."""
        if live.run.status is not Status.RUNNING:
            return ""
        if not live.limit:
            return NOT_KEPT
        if live.run.runner is None:
            return OLD_RUNNER
        if self._refused:
            return TOO_MANY
        began = self._began or live.now
        if not self._is_heard(live):
            return NO_ANSWER if live.now - began > FIRST_PATIENCE else ""
        heard_at = live.viewing.heard_at if live.viewing else None
        return SILENT if heard_at is None or live.now - heard_at > PATIENCE else ""

    async def _read(self) -> LiveRun | None:
        live = await self._database.read(read_live, self._run_id, self._position)
        if live is not None and self._began is None and live.run.status is Status.RUNNING:
            self._began = live.now
        return live

    def _new(self, live: LiveRun, *, ended: bool = False) -> Iterator[Part]:
        for part in read_on(self._position, live.excerpts, ended=ended):
            self._position = part.stop
            yield part

    async def _last_words(self, live: LiveRun) -> AsyncGenerator[Part]:
        """What is left of the output of a run that is over."""
        if live.kept is not None and not self._position and not _is_whole(live, live.kept.size):
            for part in read_kept(live.kept):
                self._position = part.stop
                yield part
            return
        size = live.kept.size if live.kept else 0
        deadline = self._clock.seconds() + (0 if _is_long_over(live) else LAST_WORDS)
        last: LiveRun | None = live
        while last is not None:
            reached = max((each.stop for each in last.excerpts), default=self._position)
            given_up = reached < size and self._clock.seconds() >= deadline
            for part in self._new(last, ended=given_up or reached >= size):
                yield part
            if not last.more and (given_up or reached >= size):
                break
            await deferLater(self._clock, 0 if last.more else SHORTEST / 2)
            last = await self._read()
        if self._position < size:
            yield LeftOut(self._position, size)
            self._position = size

    async def _say_that_one_looks(self, live: LiveRun) -> None:
        if not is_shown(live) or (live.viewing and live.viewing.until - live.now > RENEW):
            return
        self._refused = not await self._database.transact(view_run, self._run_id)
        if live.viewing is None or live.viewing.until < live.now:
            self._on_look()

    def _is_heard(self, live: LiveRun) -> bool:
        """Whether its runner has answered to somebody who looks now."""
        began = self._began or live.now
        heard_at = live.viewing.heard_at if live.viewing else None
        return heard_at is not None and heard_at > began - RECENT


def is_shown(live: LiveRun) -> bool:
    """Whether its runner can show what it writes."""
    return live.run.status is Status.RUNNING and live.limit > 0 and live.run.runner is not None


def _is_whole(live: LiveRun, size: int) -> bool:
    """Whether there is more to be seen than what is kept: all of it."""
    parts = list(read_on(0, live.excerpts, ended=True))
    return len(parts) == 1 and isinstance(parts[0], Written) and parts[0].stop == size


def _is_long_over(live: LiveRun) -> bool:
    """Whether nothing can be under way any more."""
    over = live.run.recorded_at
    return over is None or live.now - over > PATIENCE
