"""A runner: it reports itself, takes work, obeys orders, and stops in good order."""

from collections.abc import Callable
from dataclasses import dataclass

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq import __version__
from cronq.broker.interface import Broker
from cronq.domain.grants import Grant
from cronq.domain.heartbeats import INTERVAL, RunnerHeartbeat, RunnerStatus
from cronq.domain.orders import Order, OrderKind
from cronq.services.intake import Intake
from cronq.services.mailbox import Mailbox
from cronq.services.presence import Presence
from cronq.services.reporting import Reports
from cronq.services.starting import GRANT_LASTS, Starts

log = Logger()

#: Seconds for the last reports to be delivered when the runner stops.
LAST_REPORTS = 5.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a runner is, to others."""

    #: New for each life of it.
    runner: str
    host: str
    #: The id of its state folder.
    home: str


class Runner(Service):
    """Brings together the parts of a runner, from its start to its end."""

    def __init__(
        self,
        identity: Identity,
        broker: Broker,
        intake: Intake,
        starts: Starts,
        mailbox: Mailbox,
        reports: Reports,
        clock: IReactorTime,
        drain_seconds: float,
        drained: Callable[[], None] = lambda: None,
        heartbeat_interval: float = INTERVAL,
    ) -> None:
        """`drained` is called when an order has made it drain, and that is done."""
        self._identity = identity
        self._intake = intake
        self._starts = starts
        self._mailbox = mailbox
        self.reports = reports
        self._clock = clock
        self._drain_seconds = drain_seconds
        self._drained = drained
        self._status = RunnerStatus.UP
        self._draining: Deferred[None] | None = None
        self._reason = "its runner was stopped"
        self._presence = Presence(broker, clock, self._describe, reports.notebook, heartbeat_interval)

    def startService(self) -> None:
        """Ask for work."""
        Service.startService(self)
        self.reports.notebook.begin_life(self._identity.runner)
        self.reports.open()
        self._mailbox.open(self._answered, self._ordered)
        self._intake.open()
        self._presence.startService()

    def stopService(self) -> Deferred[None]:
        """Take nothing new, hand back what is not started, and wait for the commands that run.

        Those that still run after `drain_seconds`, or when `stop_now` is called, are ended.
        """
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    def stop_now(self) -> None:
        """End what still runs, and wait no longer for leave to start more."""
        self._intake.end_all(self._reason)
        self._intake.abandon_starts()

    def drain(self) -> Deferred[None]:
        """Take nothing new and come to an end with what is in hand; asked again, it is one end."""
        if self._draining is None:
            self._status = RunnerStatus.DRAINING
            self._presence.wake()
            self._draining = Deferred.fromCoroutine(self._drain())
        waiting: Deferred[None] = Deferred()
        self._draining.addCallback(lambda _: waiting.callback(None))
        return waiting

    async def _drain(self) -> None:
        await self._intake.close()
        if self._intake.in_hand:
            log.info(
                "stopping: waiting for {count} commands, {seconds:g} s at most; stop again to end them now",
                count=self._intake.in_hand,
                seconds=self._drain_seconds,
            )
        deadlines = [
            self._clock.callLater(self._drain_seconds, self.stop_now),
            self._clock.callLater(min(self._drain_seconds, GRANT_LASTS), self._intake.abandon_starts),
        ]
        await self._intake.finish()
        for deadline in deadlines:
            if deadline.active():
                deadline.cancel()

    async def _stop(self) -> None:
        await self.drain()
        await self._mailbox.close()
        await self.reports.close(LAST_REPORTS)
        self._status = RunnerStatus.STOPPED
        await self._presence.stopService()
        await self._presence.say_last().addTimeout(LAST_REPORTS, self._clock).addErrback(lambda _: None)

    def _answered(self, said: Grant) -> None:
        if (returned := self._starts.answered(said)) is not None:
            self.reports.report(returned)

    def _ordered(self, order: Order) -> None:
        if order.kind is OrderKind.KILL and order.run_id is not None:
            self._intake.end_run(order.run_id, order.reason)
        elif order.kind is OrderKind.SHOW and order.run_id and order.address and order.seconds:
            self._intake.show_run(order.run_id, order.address, order.seconds)
        elif order.kind is OrderKind.DRAIN and self._draining is None and self.running:
            log.info("ordered to drain: {why}", why=order.reason)
            self._reason = order.reason
            # Who is told to stop meanwhile ends anyway.
            self.drain().addCallback(lambda _: self._drained() if self.running else None)

    def _describe(self) -> RunnerHeartbeat:
        undelivered = frozenset(report.run_id for report in self.reports.notebook.undelivered.values())
        return RunnerHeartbeat(
            runner=self._identity.runner,
            host=self._identity.host,
            home=self._identity.home,
            version=__version__,
            queue=self._intake.queue.name,
            routing_keys=self._intake.queue.routing_keys,
            concurrency=self._intake.concurrency,
            sent_at=self._starts.now(),
            status=self._status,
            holds=self._intake.run_ids | undelivered,
            address=self._mailbox.address,
        )
