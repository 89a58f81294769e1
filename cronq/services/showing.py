"""Shows what a run writes, as long as somebody looks on, and no more of it than a person can read."""

from collections import deque

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from cronq.broker.interface import Broker, Message
from cronq.domain.errors import BrokerUnavailable, Unroutable
from cronq.domain.live_output import INTERVAL, MOST_BYTES, MOST_PIECES, Excerpt
from cronq.domain.outputs import Stream
from cronq.domain.runs import new_token
from cronq.services.keeping import Keeper, Pieces, Tail

#: Seconds that the first words after a silence wait for more.
SETTLE = 0.05


class Showing:
    """Sends excerpts of one run to whoever wants them; one is under way at a time, so that none pile up.

    What comes faster than that is left out, but for its end. Nothing is sent again: what is lost on the way
    is left out as well.
    """

    def __init__(self, broker: Broker, clock: IReactorTime, run_id: str, keeper: Keeper) -> None:
        """`keeper` knows what was written before somebody looked."""
        self._broker = broker
        self._clock = clock
        self._run_id = run_id
        self._keeper = keeper
        self._address: str | None = None
        self._until = 0.0
        self._new = Tail(MOST_BYTES, MOST_PIECES)
        self._waiting: deque[Excerpt] = deque()
        self._sending = False
        self._sent_at = 0.0
        self._timer: IDelayedCall | None = None

    def show(self, address: str, seconds: float) -> None:
        """Somebody wants it sent there, for so long from now on; each time, they hear at once."""
        now = self._clock.seconds()
        if self._address is None or self._until < now:
            self._begin()
        elif not self._sending:
            self._collect()
        self._address, self._until = address, now + seconds
        self._send()

    def take(self, stream: Stream, data: bytes) -> None:
        """The keeper has been given these bytes."""
        if self._address is None:
            return
        self._new.take(stream, data)
        self._plan()

    def close(self) -> None:
        """The run is over: send what has not been sent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._address is not None and self._new.pieces:
            self._collect()
            self._send()
        self._until = 0.0

    def _begin(self) -> None:
        """Nobody has looked so far: they are shown what is kept."""
        self._new = Tail(MOST_BYTES, MOST_PIECES)
        self._waiting.clear()
        for start, pieces in self._keeper.parts():
            self._waiting.append(self._excerpt(start, pieces))

    def _collect(self) -> None:
        """What is new is to be sent; when there is nothing, the word that it is so."""
        self._waiting.append(self._excerpt(self._keeper.size - self._new.size, self._new.pieces))
        self._new = Tail(MOST_BYTES, MOST_PIECES)

    def _excerpt(self, start: int, pieces: Pieces) -> Excerpt:
        told = tuple((stream, bytes(data)) for stream, data in pieces)
        return Excerpt(self._run_id, start, self._keeper.size, told)

    def _plan(self) -> None:
        if self._timer is None and not self._sending:
            due = self._sent_at + INTERVAL - self._clock.seconds()
            self._timer = self._clock.callLater(max(due, SETTLE), self._due)

    def _due(self) -> None:
        self._timer = None
        if self._until < self._clock.seconds():
            self._address = None
        if self._address is not None and self._new.pieces:
            self._collect()
            self._send()

    def _send(self) -> None:
        if not self._sending:
            self._sending = True
            Deferred.fromCoroutine(self._send_all())

    async def _send_all(self) -> None:
        while self._waiting and self._address is not None:
            excerpt = self._waiting.popleft()
            message = Message(self._address, excerpt.encode(), new_token(), direct=True)
            try:
                await self._broker.publish(message)
            except Unroutable:
                self._address = None  # whoever wanted it is gone; others will say that they want it
            except BrokerUnavailable:
                self._waiting.clear()
        self._sending, self._sent_at = False, self._clock.seconds()
        if self._address is not None and self._new.pieces:
            self._plan()
