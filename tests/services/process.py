"""One daemon as a process of its own, which can be frozen, thawed, cut off, stopped and killed.

All that comes to it (time, messages, answers, the end of commands) comes by the doors in this module, in
turns of the world's clock. They are shut when it is killed: then it does nothing more, as after `kill -9`.
"""

from collections.abc import Callable
from typing import Any, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import AlreadyCalled
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from cronq.broker.interface import Broker, Delivery, Message, Queue, QueueDepth, Subscription
from cronq.broker.memory import MemoryConnection
from cronq.execution.interface import Command, Ended, OnOutput, RunningCommand
from tests.services.commands import ScriptedCommand, ScriptedLauncher


class Process:
    """A daemon's process, with its one connection to the broker."""

    def __init__(self, name: str, clock: IReactorTime, connection: MemoryConnection) -> None:
        self.name = name
        #: The host it is on.
        self.machine = name
        self.clock = cast("IReactorTime", ProcessClock(self, clock))
        self.broker: Broker = ProcessBroker(self, connection)
        self._connection = connection
        self.services: list[Any] = []
        #: Whether it has come to a sudden end.
        self.was_killed = False
        #: Whether it was ever stopped for a moment.
        self.was_frozen = False
        #: Told of each message that it publishes.
        self.published: Callable[[Message], object] = lambda _: None
        self._stopped: Deferred[Any] | None = None
        self._dead = False
        self._frozen = False
        self._unaware = False
        self._database_is_cut = False
        self._held: list[Callable[[], None]] = []
        connection.startService()

    def run(self, *services: Any) -> None:
        """Start its services."""
        for service in services:
            service.startService()
            self.services.append(service)

    def stop(self) -> Deferred[Any]:
        """SIGTERM: stop its services in an orderly way, one after the other, and part from the broker."""
        if self._stopped is None:
            self._stopped = Deferred.fromCoroutine(self._stop())
        waiting: Deferred[Any] = Deferred()
        self._stopped.addCallback(lambda _: waiting.callback(None))
        return waiting

    def kill(self) -> None:
        """SIGKILL: from now on it does nothing; what it had from the broker and not accepted goes back."""
        self.was_killed = self.was_killed or not self._dead
        self._dead = True
        self._held = []
        self._connection.cut()
        self.gone()

    def gone(self) -> None:
        """It is no more, in whatever way it ended; what it held of its machine is free."""

    def freeze(self) -> None:
        """SIGSTOP: time passes and messages come, but it does not see them."""
        self._frozen = self.was_frozen = True

    def thaw(self) -> None:
        """SIGCONT: it sees all that came meanwhile, and only then that its connection may be gone."""
        self._frozen = False
        while self._held and not self._frozen:
            self._held.pop(0)()
        if not self._frozen:
            self.clock.callLater(0, self._become_aware)

    def cut(self) -> None:
        """Take its connection to the broker away."""
        self._unaware = self._frozen
        self._connection.cut()

    def cut_database(self) -> None:
        """Let the database answer it no more, until `restore_database`."""
        self._database_is_cut = True

    def restore_database(self) -> None:
        """Let it reach the database again."""
        self._database_is_cut = False

    def restore(self) -> None:
        """Let it connect again, if it is still there."""
        if not self._dead:
            self._connection.restore()

    @property
    def is_dead(self) -> bool:
        """Whether it was killed, or has stopped."""
        return self._dead

    @property
    def is_frozen(self) -> bool:
        """Whether it is stopped for the moment."""
        return self._frozen

    @property
    def is_unaware(self) -> bool:
        """Whether its connection was lost while it was frozen, so that it has not seen that yet."""
        return self._unaware

    @property
    def reaches_database(self) -> bool:
        """Whether the database may answer it."""
        return not self._database_is_cut

    def enter(self, call: Callable[[], None]) -> None:
        """What comes from outside comes in here."""
        if self._frozen and not self._dead:
            self._held.append(call)
        elif not self._dead:
            call()

    def in_thread(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        """A pool of threads: it works in one turn, and says in a later one what came of it."""
        answer: Deferred[Any] = Deferred()

        def work() -> None:
            try:
                result = function(*arguments)
            except Exception:
                result = Failure()
            self.clock.callLater(0, answer.callback, result)

        self.clock.callLater(0, work)
        return answer

    def passed_on(self, happening: Deferred[Any]) -> Deferred[Any]:
        """The same happening as seen by the process."""
        seen: Deferred[Any] = Deferred()
        happening.addBoth(lambda result: self.enter(lambda: seen.callback(result)))
        return seen

    async def _stop(self) -> None:
        for service in reversed(self.services):
            await maybeDeferred(service.stopService)
        await self._connection.stopService()
        self._dead = True
        self.gone()

    def _become_aware(self) -> None:
        self._unaware = False


class ProcessClock:
    """The monotonic clock of the machine, and timers that belong to one process."""

    def __init__(self, process: Process, clock: IReactorTime) -> None:
        self._process = process
        self._clock = clock

    def seconds(self) -> float:
        return self._clock.seconds()

    def callLater(self, delay: float, call: Callable[..., Any], *args: Any, **kwargs: Any) -> "Timer":
        timer = Timer(lambda: call(*args, **kwargs))
        timer.due = self._clock.callLater(delay, self._process.enter, timer.fire)
        return timer


class Timer:
    """A timer that may be due and still be cancelled, as its process is frozen."""

    due: IDelayedCall

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._active = True

    def active(self) -> bool:
        return self._active

    def cancel(self) -> None:
        if not self._active:
            raise AlreadyCalled
        self._active = False
        if self.due.active():
            self.due.cancel()

    def fire(self) -> None:
        if self._active:
            self._active = False
            self._call()


class ProcessBroker:
    """The broker as one process sees it."""

    def __init__(self, process: Process, connection: MemoryConnection) -> None:
        self._process = process
        self._connection = connection

    def publish(self, message: Message) -> Deferred[None]:
        self._process.published(message)
        return self._process.passed_on(self._connection.publish(message))

    def subscribe(self, queue: Queue, on_delivery: Callable[[Delivery], None], at_most: int) -> Subscription:
        subscription = ProcessSubscription(self._process, on_delivery)
        subscription.real = self._connection.subscribe(queue, subscription.received, at_most)
        return subscription

    def depth(self, queue: str) -> Deferred[QueueDepth]:
        return self._process.passed_on(self._connection.depth(queue))

    def when_connected(self) -> Deferred[None]:
        return self._process.passed_on(self._connection.when_connected())


class ProcessSubscription:
    """A subscription by which nothing comes while the process is frozen or does not want it."""

    real: Subscription

    def __init__(self, process: Process, on_delivery: Callable[[Delivery], None]) -> None:
        self._process = process
        self._on_delivery = on_delivery
        self._wanted = True

    @property
    def address(self) -> str | None:
        return self.real.address

    def pause(self) -> None:
        self._wanted = False
        self.real.pause()

    def resume(self) -> None:
        self._wanted = True
        self.real.resume()

    def cancel(self) -> Deferred[None]:
        self._wanted = False
        return self._process.passed_on(self.real.cancel())

    def received(self, delivery: Delivery) -> None:
        self._process.enter(lambda: self._receive(delivery))

    def _receive(self, delivery: Delivery) -> None:
        if self._wanted:
            self._on_delivery(OneDelivery(self._process, delivery))
        else:
            delivery.give_back()


class OneDelivery:
    """A delivery that does not forgive a second word about it; RabbitMQ closes the channel then."""

    def __init__(self, process: Process, delivery: Delivery) -> None:
        self.body = delivery.body
        self.message_id = delivery.message_id
        self.reply_to = delivery.reply_to
        self._process = process
        self._delivery = delivery
        self._settled = False

    @property
    def alive(self) -> bool:
        # As with RabbitMQ, where only the end of the channel changes it, when that is seen.
        return self._settled or self._process.is_unaware or self._delivery.alive

    def accept(self) -> None:
        self._settle()
        self._delivery.accept()

    def give_back(self) -> None:
        self._settle()
        self._delivery.give_back()

    def _settle(self) -> None:
        assert not self._settled, "a delivery was accepted or given back already"
        self._settled = True


class ProcessLauncher:
    """Starts commands that outlive the process, which hears of their end as long as it lives."""

    def __init__(self, process: Process, launcher: ScriptedLauncher) -> None:
        self._process = process
        self._launcher = launcher

    def launch(self, command: Command, on_output: OnOutput) -> RunningCommand:
        run_id = command.variables["CRONQ_RUN_ID"]
        self._launcher.places[run_id] = self._process.machine
        own = OwnCommand(self._process, self._launcher.launch(command, on_output))
        own.ended.addCallback(self._heard, run_id)
        return own

    def _heard(self, ended: Ended, run_id: str) -> Ended:
        self._launcher.heard[run_id] = ended
        return ended


class OwnCommand:
    """A command as its runner sees it, with which the timer ends that is to kill what is deaf."""

    def __init__(self, process: Process, command: ScriptedCommand) -> None:
        self._process = process
        self._command = command
        self.pid = command.pid
        self.process_start = command.process_start
        self.kill = command.kill
        self.ended: Deferred[Ended] = process.passed_on(command.ended)

    def terminate(self, grace: float) -> None:
        self._command.interrupt()
        if not self.has_exited:
            self._process.clock.callLater(grace, self.kill)

    @property
    def has_exited(self) -> bool:
        return self._command.has_exited
