"""The rhythm in which connections are tried, and what is said about those that fail."""

import random
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.addresses import Address
from cronq.domain.errors import BrokerUnavailable

log = Logger()

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
#: A connection that lasted so long was a good one: its end is a new trouble, and not more of the old one.
_GOOD_AFTER = 5.0
_SAY_AGAIN_AFTER = 300.0


class Attempts:
    """Counts failures in a row and makes each pause longer, to ten seconds; says each new cause in one line.

    Pauses are spread at random, so that a hundred runners do not fall upon a broker that has just come back.
    """

    def __init__(
        self, clock: IReactorTime, addresses: int, spread: Callable[[], float] = random.random
    ) -> None:
        self._clock = clock
        self._addresses = addresses
        self._spread = spread
        self._failures = 0
        self._connected_at: float | None = None
        self._said: dict[str, tuple[str, float]] = {}

    def connected(self, address: Address) -> None:
        """A connection is of use now."""
        self._connected_at = self._clock.seconds()
        self._said.clear()
        log.info("connected to the broker at {where}", where=address)

    def failed(self, address: Address, error: BrokerUnavailable) -> float:
        """A connection has ended or did not come about; returns the pause before the next, in seconds."""
        self._say(address, str(error))
        since, self._connected_at = self._connected_at, None
        if since is not None and self._clock.seconds() - since > _GOOD_AFTER:
            self._failures = 0
        # Each address gets its turn before the pause grows.
        pause: float = min(_FIRST_PAUSE * 2 ** min(self._failures // self._addresses, 16), _LONGEST_PAUSE)
        self._failures += 1
        return pause * (1 + self._spread()) / 2

    def _say(self, address: Address, text: str) -> None:
        now = self._clock.seconds()
        last, at = self._said.get(str(address), ("", 0.0))
        if text != last or now - at >= _SAY_AGAIN_AFTER:
            self._said[str(address)] = (text, now)
            log.warn("{cause}", cause=text)
