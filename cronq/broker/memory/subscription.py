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
        self._paused = False
        self._cancelled = False

    @property
    def address(self) -> str | None:
        """See `Subscription`."""
        return self._source.name if self._source is not None else None

    @property
    def is_done(self) -> bool:
        """Whether it is cancelled and nothing of it is left."""
        return self._cancelled and not self._in_hand

    @property
    def has_room(self) -> bool:
        """See `Taker`."""
        wanted = self._source is not None and not self._paused and not self._cancelled
        return wanted and len(self._in_hand) < self._at_most

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
        if self._queue.private:
            self._leave()
        return succeed(None)

    def stand(self) -> None:
        """There is a connection."""
        if not self._cancelled:
            self._source = self._server.declare(self._queue)
            self._ask()

    def fall(self) -> None:
        """The connection is lost: what is in hand goes back."""
        in_hand, self._in_hand = self._in_hand, {}
        for delivery in in_hand:
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
        """Whether the broker waits for a word about this delivery."""
        return delivery in self._in_hand

    def accept(self, delivery: MemoryDelivery) -> None:
        """See `Delivery`."""
        if self._release(delivery) and delivery.held.confirm is not None:
            delivery.held.confirm.taken()

    def give_back(self, delivery: MemoryDelivery) -> None:
        """See `Delivery`."""
        if self._release(delivery):
            self._put_back(delivery)

    def _release(self, delivery: MemoryDelivery) -> bool:
        if delivery not in self._in_hand:
            return False
        del self._in_hand[delivery]
        self._ask()
        return True

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
        if source is not None and self._queue.private:
            self._server.delete(source)
