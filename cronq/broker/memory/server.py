"""The server's half of the in-process broker: queues, the keys that lead into them, and who takes."""

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IReactorTime

from cronq.broker.interface import Message, Queue


class Confirm:
    """Tells a publisher when all queues that got its message have done their part, or that one cannot."""

    __slots__ = ("_awaited", "_tell")

    def __init__(self, awaited: int, tell: Callable[[bool], None]) -> None:
        self._awaited = awaited
        self._tell = tell

    def taken(self) -> None:
        """One more queue has done its part."""
        self._awaited -= 1
        if not self._awaited:
            self._tell(True)

    def forgotten(self) -> None:
        """A queue lost the message before it had done its part."""
        self._tell(False)


@dataclass(frozen=True, slots=True)
class Held:
    """A message in a queue, or in a taker's hands; it keeps its position in either."""

    position: int
    message: Message
    #: There when the queue's part is done only with the acceptance.
    confirm: Confirm | None


class Taker(Protocol):
    """Whoever takes messages from a queue."""

    @property
    def has_room(self) -> bool:
        """Whether it takes one more now."""

    def take(self, held: Held) -> None:
        """Take a message in hand."""


class MemoryQueue:
    """Messages by priority and in order. One that is put back returns to its old place."""

    def __init__(self, name: str, confirmed_when_accepted: bool) -> None:
        self.name = name
        #: Set while its turn to hand out is under way.
        self.stirred = False
        #: Who is subscribed to it.
        self.consumers: set[Taker] = set()
        self._confirmed_when_accepted = confirmed_when_accepted
        self._count = 0
        # A heap.
        self._waiting: list[tuple[int, int, Held]] = []
        self._takers: dict[Taker, None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, message: Message, confirm: Confirm) -> None:
        """Add a message at the end of those of its priority."""
        self._count += 1
        self.put_back(Held(self._count, message, confirm if self._confirmed_when_accepted else None))
        if not self._confirmed_when_accepted:
            confirm.taken()

    def put_back(self, held: Held) -> None:
        """Return a message to its place."""
        heapq.heappush(self._waiting, (-held.message.priority, held.position, held))

    def offer(self, taker: Taker) -> None:
        """Someone has room; the last to come is the last to be served."""
        self._takers[taker] = None

    def hand_out(self) -> None:
        """Give to each who has room in turn, what is there now and no more."""
        for _ in range(len(self)):
            if (taker := self._next_taker()) is None:
                return
            taker.take(self._first())

    def bodies(self) -> list[bytes]:
        """What waits, in order."""
        return [held.message.body for _, _, held in sorted(self._waiting)]

    def clear(self) -> None:
        """Forget what waits."""
        while self:
            if (confirm := self._first().confirm) is not None:
                confirm.forgotten()

    def _first(self) -> Held:
        return heapq.heappop(self._waiting)[2]

    def _next_taker(self) -> Taker | None:
        while self._takers:
            taker = next(iter(self._takers))
            del self._takers[taker]
            if taker.has_room:
                self._takers[taker] = None
                return taker
        return None


class Server:
    """Queues by name and by routing key.

    Nothing happens within the call that asks for it: as over a network, everything takes a turn of the clock.
    """

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._queues: dict[str, MemoryQueue] = {}
        self._routes: dict[str, dict[str, MemoryQueue]] = {}
        self._numbers = itertools.count(1)
        self._next_turn: list[Callable[[], None]] = []

    def soon(self, action: Callable[[], None]) -> None:
        """Do something in the next turn."""
        if not self._next_turn:
            self._clock.callLater(0, self._turn)
        self._next_turn.append(action)

    def declare(self, queue: Queue) -> MemoryQueue:
        """The queue, made and bound if need be; a private one is new each time."""
        name = f"{queue.name}.{next(self._numbers)}" if queue.private else queue.name
        declared = self._queues.setdefault(name, MemoryQueue(name, queue.confirmed_when_accepted))
        for key in queue.routing_keys:
            self._routes.setdefault(key, {})[name] = declared
        return declared

    def delete(self, queue: MemoryQueue) -> None:
        """Forget a queue with all that is in it."""
        del self._queues[queue.name]
        for bound in self._routes.values():
            bound.pop(queue.name, None)
        queue.clear()

    def queues_for(self, message: Message) -> list[MemoryQueue]:
        """Where a message goes."""
        if message.direct:
            queue = self.find(message.routing_key)
            return [] if queue is None else [queue]
        return list(self._routes.get(message.routing_key, {}).values())

    def find(self, address: str) -> MemoryQueue | None:
        """The queue of that name."""
        return self._queues.get(address)

    def stir(self, queue: MemoryQueue) -> None:
        """Let a queue hand out in the next turn."""
        if not queue.stirred:
            queue.stirred = True
            self.soon(lambda: self._hand_out(queue))

    def _hand_out(self, queue: MemoryQueue) -> None:
        queue.stirred = False
        queue.hand_out()

    def _turn(self) -> None:
        actions, self._next_turn = self._next_turn, []
        for action in actions:
            action()
