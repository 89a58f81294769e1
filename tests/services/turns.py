"""Time that only a test moves."""

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer


@implementer(IDelayedCall)
class Call:
    """A call that is due at some time."""

    def __init__(self, due: float, function: Callable[..., object], args: Any, kw: Any) -> None:
        self.function, self.args, self.kw = function, args, kw
        self.cancelled = self.called = False
        self._due = due

    def getTime(self) -> float:
        return self._due

    def active(self) -> bool:
        return not (self.cancelled or self.called)

    def cancel(self) -> None:
        if self.cancelled:
            raise AlreadyCancelled
        if self.called:
            raise AlreadyCalled
        self.cancelled = True

    def delay(self, later: float) -> None:
        raise NotImplementedError

    def reset(self, seconds: float) -> None:
        raise NotImplementedError


@implementer(IReactorTime)
class Turns:
    """A clock that counts what it calls, so that trouble can be planned between any two calls.

    A heap, and not the list of `twisted.internet.task.Clock`, which is sorted at each call: histories of
    months are lived through.
    """

    def __init__(self) -> None:
        self.turns = 0
        self._now = 0.0
        self._calls: list[tuple[float, int, Call]] = []
        self._numbers = itertools.count()
        self._plans: dict[int, Callable[[], None]] = {}

    def seconds(self) -> float:
        return self._now

    def callLater(self, delay: float, callable: Callable[..., Any], *args: object, **kw: object) -> Call:  # noqa: A002
        call = Call(self._now + delay, callable, args, kw)
        heapq.heappush(self._calls, (call.getTime(), next(self._numbers), call))
        return call

    def getDelayedCalls(self) -> list[IDelayedCall]:
        return [call for *_, call in sorted(self._calls, key=lambda each: each[:2]) if call.active()]

    def advance(self, seconds: float) -> None:
        """All that is due by then happens at its own instant."""
        end = self._now + seconds
        while self._calls and self._calls[0][0] <= end:
            due, _, call = heapq.heappop(self._calls)
            if not call.cancelled:
                self._now = max(self._now, due)
                self._turn(call)
        self._now = max(self._now, end)

    run_for = advance

    def after_turns(self, turns: int, plan: Callable[[], None]) -> None:
        """Do something when so many more calls have been made."""
        self._plans[self.turns + turns] = plan

    def _turn(self, call: Call) -> None:
        call.called = True
        call.function(*call.args, **call.kw)
        self.turns += 1
        if plan := self._plans.pop(self.turns, None):
            plan()
