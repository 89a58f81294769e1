"""Guessing made slow: who fails has to wait before the next try, longer each time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(slots=True)
class _Tries:
    failures: int = 0
    #: Before this instant nothing is tried.
    until: float = 0.0
    latest: float = 0.0


class Throttle:
    """Counts failures by some key, of at most so many keys; the clock is in seconds."""

    #: Keys that are remembered; the one that was heard of longest ago is forgotten for another.
    MOST_KEYS = 10_000
    #: Failures so many seconds ago do not count any more.
    FORGIVEN = 3600.0

    def __init__(self, seconds: Callable[[], float], *, free: int, longest: float) -> None:
        """`free` failures cost nothing; after that the pauses double from one second up to `longest`."""
        self._seconds = seconds
        self._free = free
        self._longest = longest
        self._tries: OrderedDict[str, _Tries] = OrderedDict()

    def pause(self, key: str) -> float:
        """The seconds for which nothing is to be tried."""
        found = self._tries.get(key)
        return 0.0 if found is None else max(0.0, found.until - self._seconds())

    def failed(self, key: str) -> None:
        """Count a failure. It is counted before the try, so that many at once are no way around it."""
        now = self._seconds()
        found = self._tries.pop(key, None)
        if found is None or now - found.latest > self.FORGIVEN:
            found = _Tries()
        found.failures += 1
        found.latest = now
        if found.failures > self._free:
            found.until = now + min(self._longest, 2.0 ** min(found.failures - self._free - 1, 30))
        self._tries[key] = found
        while len(self._tries) > self.MOST_KEYS:
            self._tries.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Take back the failure that was counted before the try."""
        found = self._tries.get(key)
        if found is not None:
            found.failures -= 1
            found.until = 0.0

    def forget(self, key: str) -> None:
        """All is well again."""
        self._tries.pop(key, None)
