"""The private queue of a runner: the answers to its questions, and orders from afar."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cronq.broker.interface import Broker, Delivery, Queue, Subscription
from cronq.domain.errors import BadMessage
from cronq.domain.grants import Grant, read_answers
from cronq.domain.message_fields import read_fields
from cronq.domain.orders import Order, is_order

log = Logger()


class Mailbox:
    """Reads what comes for one runner. Nothing in it is worth keeping: who had no answer asks again."""

    def __init__(self, broker: Broker, runner: str) -> None:
        self._broker = broker
        self._queue = Queue(f"cronq_runner.{runner}", private=True)
        self._subscription: Subscription | None = None

    @property
    def address(self) -> str | None:
        """Where it is reached on the present connection."""
        return self._subscription.address if self._subscription else None

    def open(self, on_answer: Callable[[Grant], None], on_order: Callable[[Order], None]) -> None:
        """Begin to read."""

        def received(delivery: Delivery) -> None:
            delivery.accept()
            try:
                data = read_fields(delivery.body)
                if is_order(data):
                    on_order(Order.read(data))
                else:
                    for answer in read_answers(data):
                        on_answer(answer)
            except BadMessage as error:
                log.warn("an answer or order cannot be read: {why}", why=str(error))

        self._subscription = self._broker.subscribe(self._queue, received, at_most=1000)

    def close(self) -> Deferred[None]:
        """Stop reading."""
        assert self._subscription is not None
        return self._subscription.cancel()
