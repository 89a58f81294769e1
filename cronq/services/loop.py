"""A duty that is done again and again, whatever goes wrong, and stops only between two passes."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.domain.errors import CronqError
from cronq.services.trouble import Trouble

log = Logger()
T = TypeVar("T")

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0  # seconds, after a pass that failed


class Loop(Service):
    """Calls `work` for ever. Each pass gives the seconds until the next one is wanted.

    A pass that fails is tried again after a pause that grows. A `CronqError` is told in one line when it
    begins and one when it is over; anything else is a fault of ours and told with its traceback.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[float]],
        clock: IReactorTime,
        trouble: Trouble | None = None,
    ) -> None:
        """Of several that share their `trouble`, the first one tells it."""
        self._name = name
        self._work = work
        self._clock = clock
        self._trouble = trouble or Trouble()
        self._sentence: str | None = None
        self._failures = 0
        self._woken = False
        self._rest: Deferred[None] | None = None
        self._awaited: Deferred[Any] | None = None
        self._ended: Deferred[None] = succeed(None)

    def startService(self) -> None:
        """Begin with a pass at once."""
        Service.startService(self)
        self._ended = Deferred.fromCoroutine(self._run())

    def stopService(self) -> Deferred[None]:
        """Fires when the pass in hand, if there is one, has come to its end."""
        Service.stopService(self)
        self.wake()
        if self._awaited is not None:
            self._awaited.cancel()
        return self._ended

    async def until(self, happening: Deferred[T]) -> T:
        """Await, within a pass, what may never happen; a stop of the service ends the waiting."""
        self._awaited = happening
        if not self.running:  # stopped since the pass began
            happening.cancel()
        try:
            return await happening
        finally:
            self._awaited = None

    def wake(self) -> None:
        """There is work: do not wait for the end of the pause."""
        self._woken = True
        if self._rest is not None:
            rest, self._rest = self._rest, None
            rest.callback(None)

    async def _run(self) -> None:
        while self.running:
            self._woken = False
            pause = await self._pass()
            if not self._woken:
                await self._pause(pause)

    async def _pass(self) -> float:
        try:
            pause = await self._work()
        except CronqError as error:
            return self._failed(str(error))
        except CancelledError:
            return 0.0
        except Exception:
            log.failure("{name}: a pass failed", name=self._name)
            return self._failed(None)
        self._tell_trouble(None)
        self._failures = 0
        return pause

    def _failed(self, sentence: str | None) -> float:
        if sentence is not None:
            self._tell_trouble(sentence)
        self._failures += 1
        return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 10)))

    def _tell_trouble(self, sentence: str | None) -> None:
        before, self._sentence = self._sentence, sentence
        if before is not None and before != sentence:
            self._trouble.ends(self._name, before, well=sentence is None)
        if sentence is not None:
            self._trouble.begins(self._name, sentence)

    async def _pause(self, seconds: float) -> None:
        self._rest = rest = Deferred[None]()
        timer: Any = self._clock.callLater(seconds, self.wake)
        await rest
        if timer.active():
            timer.cancel()
