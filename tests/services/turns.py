"""Time that only a test moves."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock


class Turns(Clock):
    """A clock that counts what it calls, so that trouble can be planned between any two calls."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = 0
        self._plans: dict[int, Callable[[], None]] = {}

    def callLater(
        self,
        delay: float,
        callable: Callable[..., object],  # noqa: A002
        *args: object,
        **kw: object,
    ) -> IDelayedCall:
        return super().callLater(delay, self._turn, callable, args, kw)

    def run_for(self, seconds: float) -> None:
        """Let so much time pass; all that is due meanwhile happens at its own instant."""
        end = self.seconds() + seconds
        while (calls := self.getDelayedCalls()) and (due := min(c.getTime() for c in calls)) <= end:
            self.advance(max(0.0, due - self.seconds()))
        self.advance(max(0.0, end - self.seconds()))

    def after_turns(self, turns: int, plan: Callable[[], None]) -> None:
        """Do something when so many more calls have been made."""
        self._plans[self.turns + turns] = plan

    def _turn(self, call: Callable[..., object], args: tuple[object, ...], kw: dict[str, object]) -> None:
        call(*args, **kw)
        self.turns += 1
        if plan := self._plans.pop(self.turns, None):
            plan()
