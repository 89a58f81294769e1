"""The subscriber's half of the in-process broker."""

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from cronq.broker.interface import Delivery, Queue
from cronq.broker.memory.server import Held, MemoryQueue, Server

log = Logger()


class MemoryDelivery:
    """See `Delivery`."""

    __slots__ = ("_subscription", "body", "held", "message_id", "reply_to")

    def __init__(self, subscription: "MemorySubscription", held: Held) -> None:
        self._subscription = subscription
        self.held = held
        self.body = held.message.body
        self.message_id: str | None = held.message.message_id
        self.reply_to = held.message.reply_to

    @property
    def alive(self) -> bool:
        """See `Delivery`."""
        return self._subscription.has_in_hand(self)

    def accept(self) -> None:
        """See `Delivery`."""
        self._subscription.accept(self)

    def give_back(self) -> None:
        """See `Delivery`."""
        self._subscription.give_back(self)


class MemorySubscription:
    """See `Subscription`."""

    def __init__(
        self, server: Server, queue: Queue, on_delivery: Callable[[Delivery], None], at_most: int
    ) -> None:
        if at_most < 1:
            raise ValueError("at_most must be 1 or more")
        self._server = server
        self._queue = queue
        self._on_delivery = on_delivery
        self._at_most = at_most
        self._source: MemoryQueue | None = None
        self._in_hand: dict[MemoryDelivery, None] = {}
        # Accepted, but the broker does not know yet.
        self._accepted: dict[MemoryDelivery, None] = {}
        self._paused = False
        self._cancelled = False

    @property
    def address(self) -> str | None:
        """See `Subscription`."""
        return self._source.name if self._source is not None else None

    @property
    def is_done(self) -> bool:
        """Whether it is cancelled and nothing of it is left."""
        return self._cancelled and not (self._in_hand or self._accepted)

    @property
    def has_room(self) -> bool:
        """See `Taker`."""
        wanted = self._source is not None and not self._paused and not self._cancelled
        return wanted and len(self._in_hand) + len(self._accepted) < self._at_most

    def pause(self) -> None:
        """See `Subscription`."""
        self._paused = True

    def resume(self) -> None:
        """See `Subscription`."""
        self._paused = False
        self._ask()

    def cancel(self) -> Deferred[None]:
        """See `Subscription`."""
        self._cancelled = True
        if self._source is not None:
            self._source.consumers.discard(self)
        if self._queue.private:
            self._leave()
        return succeed(None)

    def stand(self) -> None:
        """There is a connection."""
        if not self._cancelled:
            self._source = self._server.declare(self._queue)
            self._source.consumers.add(self)
            self._ask()

    def flush(self) -> None:
        """Let all acceptances that are under way arrive now."""
        for delivery in list(self._accepted):
            self._acceptance_arrived(delivery)

    def fall(self) -> None:
        """The connection is lost: what is in hand goes back, with what an acceptance was under way for."""
        unsettled = [*self._in_hand, *self._accepted]
        self._in_hand.clear()
        self._accepted.clear()
        for delivery in unsettled:
            self._put_back(delivery)
        self._leave()

    def take(self, held: Held) -> None:
        """See `Taker`."""
        delivery = MemoryDelivery(self, held)
        self._in_hand[delivery] = None
        try:
            self._on_delivery(delivery)
        except Exception:
            log.failure("a message of {queue} was left unaccepted", queue=self.address)

    def has_in_hand(self, delivery: MemoryDelivery) -> bool:
        """Whether an answer to this delivery means anything."""
        return delivery in self._in_hand

    def accept(self, delivery: MemoryDelivery) -> None:
        """See `Delivery`. Takes a turn, in which the connection may be lost and the acceptance with it."""
        if delivery in self._in_hand:
            del self._in_hand[delivery]
            self._accepted[delivery] = None
            self._server.soon(lambda: self._acceptance_arrived(delivery))

    def give_back(self, delivery: MemoryDelivery) -> None:
        """See `Delivery`. Takes no turn, since losing the connection comes to the same."""
        if delivery in self._in_hand:
            del self._in_hand[delivery]
            self._put_back(delivery)
            self._ask()

    def _acceptance_arrived(self, delivery: MemoryDelivery) -> None:
        if delivery not in self._accepted:
            # The connection was lost before, or closed in good order after.
            return
        del self._accepted[delivery]
        if delivery.held.confirm is not None:
            delivery.held.confirm.taken()
        self._ask()

    def _put_back(self, delivery: MemoryDelivery) -> None:
        if self._source is not None:
            self._source.put_back(delivery.held)
            self._server.stir(self._source)

    def _ask(self) -> None:
        if self._source is not None and self.has_room:
            self._source.offer(self)
            self._server.stir(self._source)

    def _leave(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.consumers.discard(self)
            if self._queue.private:
                self._server.delete(source)
