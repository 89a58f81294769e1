"""Takes job messages when it has a free slot, and runs their commands when the start is granted."""

from dataclasses import dataclass, field

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.broker.interface import Broker, Delivery, Queue, Subscription
from cronq.domain.errors import BadMessage
from cronq.domain.messages import JobMessage
from cronq.services.dead_letters import bury
from cronq.services.running import Run, Workplace
from cronq.services.starting import GRANT_LASTS, Starts

log = Logger()

#: Seconds that a message may wait here for a free slot, before others get it.
MAY_WAIT = 1.0
#: Seconds between SIGTERM and SIGKILL for commands that a stopping runner ends.
GRACE = 10.0
#: Seconds for the last reports to be delivered when the runner stops.
LAST_REPORTS = 5.0


@dataclass(slots=True, eq=False)
class Start:
    """A message that was received here and whose run has not been granted yet."""

    job: JobMessage
    delivery: Delivery
    #: Fires when the run is over.
    flow: Deferred[None] = field(default_factory=lambda: succeed(None))


class Runner(Service):
    """Runs at most `concurrency` commands at once."""

    def __init__(
        self,
        broker: Broker,
        queue: Queue,
        starts: Starts,
        place: Workplace,
        clock: IReactorTime,
        concurrency: int,
        drain_seconds: float,
    ) -> None:
        self._broker = broker
        self._queue = queue
        self._starts = starts
        self._place = place
        self._clock = clock
        self._concurrency = concurrency
        self._drain_seconds = drain_seconds
        self._subscription: Subscription | None = None
        self._full = False
        # By run id. Those that wait for a slot are in the order in which they came.
        self._waiting: dict[str, Start] = {}
        self._starting: dict[str, Start] = {}
        self._runs: dict[str, Run] = {}
        self._in_hand: set[Deferred[None]] = set()

    def startService(self) -> None:
        """Ask for work."""
        Service.startService(self)
        self._place.reports.open()
        self._starts.open()
        self._subscription = self._broker.subscribe(self._queue, self._received, self._concurrency)

    def stopService(self) -> Deferred[None]:
        """Take nothing new, hand back what is not started, and wait for the commands that run.

        Those that still run after `drain_seconds`, or when `stop_now` is called, are ended.
        """
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop())

    def stop_now(self) -> None:
        """End what still runs, and wait no longer for leave to start more."""
        for run in list(self._runs.values()):
            run.end(GRACE, "its runner was stopped")
        self._abandon_starts()

    def _abandon_starts(self) -> None:
        for start in list(self._starting.values()):
            start.flow.cancel()

    @property
    def _busy(self) -> int:
        return len(self._starting) + len(self._runs)

    def _received(self, delivery: Delivery) -> None:
        try:
            job = JobMessage.decode(delivery.body)
        except BadMessage as error:
            Deferred.fromCoroutine(bury(self._broker, self._clock, delivery, str(error)))
            return
        if not self.running:
            delivery.give_back()
        elif start := self._starting.get(job.run_id) or self._waiting.get(job.run_id):
            self._take_again(start, delivery)
        elif job.run_id in self._runs:
            delivery.accept()
        else:
            self._take(Start(job, delivery))

    def _take_again(self, start: Start, delivery: Delivery) -> None:
        # It was published twice, or has come back by a new connection while the old answer is awaited.
        if start.delivery.alive:
            delivery.accept()
        else:
            start.delivery = delivery

    def _take(self, start: Start) -> None:
        if self._busy < self._concurrency:
            self._begin(start)
        elif self._full:
            start.delivery.give_back()
        else:
            self._waiting[start.job.run_id] = start
            self._clock.callLater(MAY_WAIT, self._waited, start)

    def _waited(self, start: Start) -> None:
        """No slot has become free for a message in time: let others have it and ask for no more."""
        if self._waiting.get(start.job.run_id) is not start:
            return
        self._full = True
        if self._subscription is not None:
            self._subscription.pause()
        self._give_back_waiting()

    def _give_back_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for start in waiting.values():
            start.delivery.give_back()

    def _begin(self, start: Start) -> None:
        self._starting[start.job.run_id] = start
        start.flow = Deferred.fromCoroutine(self._see_through(start))
        self._in_hand.add(start.flow)
        start.flow.addErrback(self._broke, start.job)
        start.flow.addBoth(lambda _: self._end(start))

    async def _see_through(self, start: Start) -> None:
        job = start.job
        try:
            refusal = await self._starts.refusal(job)
        except CancelledError:
            start.delivery.give_back()
            return
        if not (job.grant or start.delivery.alive):
            return  # no one but the broker says who starts it, and that delivers it again, to anyone
        start.delivery.accept()
        del self._starting[job.run_id]
        if refusal is not None:
            log.info(
                "job {job_id} ({name!r}) run {run_id}: not started here: {why}",
                job_id=job.job_id,
                name=job.name,
                run_id=job.run_id,
                why=refusal,
            )
            return
        self._runs[job.run_id] = run = Run(job, self._place)
        await run.run()

    def _broke(self, failure: Failure, job: JobMessage) -> None:
        log.failure("run {run_id} of job {job_id} broke", failure, run_id=job.run_id, job_id=job.job_id)

    def _end(self, start: Start) -> None:
        self._in_hand.discard(start.flow)
        self._starting.pop(start.job.run_id, None)
        self._runs.pop(start.job.run_id, None)
        while self._waiting and self._busy < self._concurrency:
            waited = self._waiting.pop(next(iter(self._waiting)))
            if waited.delivery.alive:
                self._begin(waited)
        if self._full and self.running and self._subscription is not None:
            self._full = False
            self._subscription.resume()

    async def _stop(self) -> None:
        assert self._subscription is not None
        cancelled = self._subscription.cancel()
        self._give_back_waiting()
        await cancelled
        if self._in_hand:
            log.info(
                "stopping: waiting for {count} commands, {seconds:g} s at most; stop again to end them now",
                count=len(self._in_hand),
                seconds=self._drain_seconds,
            )
        deadlines = [
            self._clock.callLater(self._drain_seconds, self.stop_now),
            self._clock.callLater(min(self._drain_seconds, GRANT_LASTS), self._abandon_starts),
        ]
        for flow in list(self._in_hand):
            await flow
        for deadline in deadlines:
            if deadline.active():
                deadline.cancel()
        await self._starts.close()
        await self._place.reports.close(LAST_REPORTS)
