"""Tells whoever listens that something has changed; what, they read by themselves."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from cronq.database.gateway import Database
from cronq.database.reading.pulse import Version, read_version
from cronq.domain.errors import CronqError
from cronq.web.http.streams import Event

#: Seconds between two looks at the database, as long as few listen.
INTERVAL = 2.0
#: Whoever is told of a change reads a page. So of many that listen, so many are told at once, and each of the
#: others so many seconds after the one before; all of them are told before the next look.
APART = 0.2
AT_ONCE = int(INTERVAL / APART)
#: Something is said at least so often, in seconds, so that a browser knows whether it is still heard.
LONGEST_SILENCE = 15.0

_log = Logger()


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look has found; whoever compares two of them knows what to say."""

    version: Version | None = None
    trouble: bool = False
    #: How often nothing was to be said for long.
    silences: int = 0


class Pulse:
    """Looks at the database as long as somebody listens. There is one in each web."""

    def __init__(self, database: Database, clock: IReactorTime) -> None:
        self._database = database
        self._clock = clock
        self._listeners = 0
        self._next: IDelayedCall | None = None
        self._looking = False
        self._seen = _Seen()
        self._changed_at = self._said_at = self._earliest = clock.seconds()
        self._waiting: set[Deferred[None]] = set()
        #: Those of them that have not been told yet of what was seen last, and when the next one is.
        self._untold: list[Deferred[None]] = []
        self._telling: IDelayedCall | None = None

    async def events(self) -> AsyncGenerator[Event]:
        """Events without end, for one listener.

        The first is `live` with the seconds since the last change that was seen. Then come `changed`, `heard`
        (there were heartbeats of runners, and nothing else), `trouble` (the database does not answer) and
        `quiet` (nothing of all that).
        """
        self._listeners += 1
        try:
            self._plan()
            seen = self._seen
            yield _first(seen, self._clock.seconds() - self._changed_at)
            while True:
                await self._news()
                seen, before = self._seen, seen
                yield _difference(before, seen)
        finally:
            self._listeners -= 1
            if not self._listeners:
                self._cancel_telling()
                if self._next is not None:
                    self._next.cancel()
                    self._next = None

    async def _news(self) -> None:
        news: Deferred[None] = Deferred()
        self._waiting.add(news)
        try:
            await news
        finally:
            self._waiting.discard(news)

    def _plan(self) -> None:
        """See to it that there is another look as soon as there may be one, if anybody listens."""
        if self._listeners and not self._looking and self._next is None:
            pause = max(0.0, self._earliest - self._clock.seconds())
            self._next = self._clock.callLater(pause, lambda: Deferred.fromCoroutine(self._look()))

    async def _look(self) -> None:
        self._next, self._looking = None, True
        self._earliest = self._clock.seconds() + max(INTERVAL, APART * self._listeners)
        self._say(await self._read())
        self._looking = False
        self._plan()

    async def _read(self) -> _Seen:
        try:
            version = await self._database.read(read_version)
        except CronqError:
            return replace(self._seen, trouble=True)
        except Exception:
            if not self._seen.trouble:
                _log.failure("the pulse: a look failed")
            return replace(self._seen, trouble=True)
        if self._seen.version is None or version.work != self._seen.version.work:
            self._changed_at = self._clock.seconds()
        return replace(self._seen, version=version, trouble=False)

    def _say(self, seen: _Seen) -> None:
        now = self._clock.seconds()
        if seen == self._seen and now - self._said_at >= LONGEST_SILENCE:
            seen = replace(seen, silences=seen.silences + 1)
        if seen == self._seen:
            return
        self._seen, self._said_at = seen, now
        self._untold = list(self._waiting)
        self._cancel_telling()
        self._tell(AT_ONCE)

    def _tell(self, count: int) -> None:
        """Tell so many, and each of the others a while later."""
        some, self._untold = self._untold[:count], self._untold[count:]
        for news in some:
            if news in self._waiting:  # else whoever waited for it has gone
                news.callback(None)
        self._telling = self._clock.callLater(APART, self._tell, 1) if self._untold else None

    def _cancel_telling(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None


def _first(seen: _Seen, age: float) -> Event:
    if seen.trouble:
        return Event("", name="trouble")
    return Event(f"{age:.1f}", name="live")


def _difference(before: _Seen, seen: _Seen) -> Event:
    if seen.trouble:
        return Event("", name="trouble")
    if before.version is None or seen.version is None or before.version.work != seen.version.work:
        return Event("", name="changed")
    # After an outage nobody knows what was missed.
    if before.trouble:
        return Event("", name="changed")
    return Event("", name="heard" if before.version != seen.version else "quiet")
