"""One client of the in-process broker."""

from collections.abc import Callable
from functools import partial

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from cronq.broker.interface import SHARED_QUEUES, Delivery, Message, Queue, QueueDepth
from cronq.broker.memory.server import Confirm, Server
from cronq.broker.memory.subscription import MemorySubscription
from cronq.broker.waiting import Waiters
from cronq.domain.errors import BrokerUnavailable, Unroutable


class _Session:
    """What ends with a connection."""

    def __init__(self) -> None:
        self.unconfirmed: dict[Deferred[None], None] = {}

    def settle(self, answer: Deferred[None], result: Failure | None) -> None:
        """Answer a publisher that waits for it still."""
        if answer in self.unconfirmed:
            del self.unconfirmed[answer]
            answer.callback(result)


class MemoryConnection(Service):
    """See `Broker`. It is connected as long as it runs, is not cut, and the broker is up."""

    def __init__(self, server: Server, name: str, server_is_up: bool) -> None:
        self._server = server
        self._client_name = name
        self._server_is_up = server_is_up
        self._is_cut = False
        self._session: _Session | None = None
        self._subscriptions: list[MemorySubscription] = []
        self._waiting: Waiters[None] = Waiters()
        self._why_not = "no connection yet"

    def startService(self) -> None:
        """Connect in the next turn."""
        super().startService()  # type: ignore[no-untyped-call]
        self._server.soon(self._connect)

    def stopService(self) -> Deferred[None]:
        """Give back what is unaccepted and fail who waits."""
        super().stopService()  # type: ignore[no-untyped-call]
        for subscription in self._subscriptions:
            # Parting in good order: what was accepted, is.
            subscription.flush()
        self._disconnect("this side has closed it")
        self._waiting.tell(Failure(self._unavailable()))
        return succeed(None)

    def cut(self) -> None:
        """Lose the connection, until `restore`."""
        self._is_cut = True
        self._disconnect("it was cut")

    def restore(self) -> None:
        """Connect again in the next turn."""
        self._is_cut = False
        self._server.soon(self._connect)

    def server_turned(self, up: bool) -> None:
        """The broker came up or went down."""
        self._server_is_up = up
        if up:
            self._server.soon(self._connect)
        else:
            self._disconnect("the broker is down")

    def publish(self, message: Message) -> Deferred[None]:
        """See `Broker`."""
        session = self._session
        if session is None:
            return fail(self._unavailable())
        answer: Deferred[None] = Deferred()
        session.unconfirmed[answer] = None
        self._server.soon(lambda: self._arrive(message, session, answer))
        return answer

    def subscribe(
        self, queue: Queue, on_delivery: Callable[[Delivery], None], at_most: int
    ) -> MemorySubscription:
        """See `Broker`."""
        subscription = MemorySubscription(self._server, queue, on_delivery, at_most)
        self._subscriptions = [each for each in self._subscriptions if not each.is_done]
        self._subscriptions.append(subscription)
        if self._session is not None:
            subscription.stand()
        return subscription

    def depth(self, queue: str) -> Deferred[QueueDepth]:
        """See `Broker`."""
        session = self._session
        if session is None:
            return fail(self._unavailable())
        answer: Deferred[QueueDepth] = Deferred()
        self._server.soon(lambda: self._look(queue, session, answer))
        return answer

    def when_connected(self) -> Deferred[None]:
        """See `Broker`."""
        return self._waiting.wait() if self._session is None else succeed(None)

    def _connect(self) -> None:
        if self._session is not None or self._is_cut or not (self.running and self._server_is_up):
            return
        self._session = _Session()
        for queue in SHARED_QUEUES:
            self._server.declare(queue)
        for subscription in self._subscriptions:
            subscription.stand()
        self._waiting.tell(None)

    def _disconnect(self, why: str) -> None:
        self._why_not = why
        session, self._session = self._session, None
        if session is None:
            return
        for subscription in self._subscriptions:
            subscription.fall()
        for answer in list(session.unconfirmed):
            session.settle(answer, Failure(self._unavailable()))

    def _arrive(self, message: Message, session: _Session, answer: Deferred[None]) -> None:
        if session is not self._session:
            # Lost on the way.
            return
        queues = self._server.queues_for(message)
        if not queues:
            session.settle(answer, Failure(Unroutable(f"no queue takes {message.routing_key!r}")))
            return
        confirm = Confirm(len(queues), partial(self._confirmed, session, answer))
        for queue in queues:
            queue.put(message, confirm)
            self._server.stir(queue)

    def _look(self, queue: str, session: _Session, answer: Deferred[QueueDepth]) -> None:
        found = self._server.find(queue)
        if session is not self._session or found is None:
            answer.errback(self._unavailable())
        else:
            answer.callback(QueueDepth(len(found), len(found.consumers)))

    def _confirmed(self, session: _Session, answer: Deferred[None], taken: bool) -> None:
        result = None if taken else Failure(BrokerUnavailable("the broker was told to forget the message"))
        self._server.soon(lambda: session.settle(answer, result))

    def _unavailable(self) -> BrokerUnavailable:
        return BrokerUnavailable(f"no connection of {self._client_name} to the broker: {self._why_not}")
