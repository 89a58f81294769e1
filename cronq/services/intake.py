"""Takes job messages when there is a free slot, has their starts granted, and sees their runs through."""

from dataclasses import dataclass, field

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.broker.interface import Broker, Delivery, Queue, Subscription
from cronq.domain.errors import BadMessage
from cronq.domain.messages import JobMessage
from cronq.domain.runs import new_token
from cronq.services.dead_letters import bury
from cronq.services.running import Run, Workplace
from cronq.services.starting import Starts

log = Logger()

#: Seconds that a message may wait here for a free slot, before others get it.
MAY_WAIT = 1.0
#: Seconds between SIGTERM and SIGKILL that a runner which stops grants at most, whatever jobs ask for: it is
#: waited for, too.
LAST_GRACE = 10.0


@dataclass(slots=True, eq=False)
class Start:
    """A message that was received here and whose run has not been granted yet."""

    job: JobMessage
    delivery: Delivery
    #: Names the request to start.
    token: str = field(default_factory=new_token)
    #: Why it is not to be started, even when that is granted.
    killed_because: str | None = None
    #: Fires when the run is over; there once it is begun.
    flow: Deferred[None] = field(init=False)


class Intake:
    """Runs at most `concurrency` commands at once."""

    def __init__(
        self,
        broker: Broker,
        queue: Queue,
        starts: Starts,
        place: Workplace,
        clock: IReactorTime,
        concurrency: int,
    ) -> None:
        self.queue = queue
        self.concurrency = concurrency
        self._broker = broker
        self._starts = starts
        self._place = place
        self._clock = clock
        self._subscription: Subscription | None = None
        self._closed = False
        self._full = False
        # By run id. Those that wait for a slot are in the order in which they came.
        self._waiting: dict[str, Start] = {}
        self._starting: dict[str, Start] = {}
        self._runs: dict[str, Run] = {}
        self._in_hand: set[Deferred[None]] = set()

    def open(self) -> None:
        """Ask for work."""
        self._subscription = self._broker.subscribe(self.queue, self._received, self.concurrency)

    async def close(self) -> None:
        """Take nothing new, and hand back what waits for a slot."""
        assert self._subscription is not None
        self._closed = True
        cancelled = self._subscription.cancel()
        self._give_back_waiting()
        await cancelled

    async def finish(self) -> None:
        """Wait until all that is in hand is over."""
        for flow in list(self._in_hand):
            await flow

    def abandon_starts(self) -> None:
        """Hand back what has not been started yet."""
        for start in list(self._starting.values()):
            start.flow.cancel()

    def end_all(self, reason: str) -> None:
        """End all commands."""
        for run in list(self._runs.values()):
            run.kill(reason, LAST_GRACE)

    def end_run(self, run_id: str, reason: str) -> None:
        """End the command of a run, if it is running here or about to be started."""
        if run := self._runs.get(run_id):
            run.kill(reason)
        elif start := self._starting.get(run_id):
            start.killed_because = reason

    def show_run(self, run_id: str, address: str, seconds: float) -> None:
        """Send what a run writes to an address for so long, if it is running here."""
        if run := self._runs.get(run_id):
            run.show(address, seconds)

    @property
    def in_hand(self) -> int:
        """How many runs are starting or running here."""
        return len(self._in_hand)

    @property
    def run_ids(self) -> frozenset[str]:
        """Which those are."""
        return frozenset(self._starting) | frozenset(self._runs)

    @property
    def _busy(self) -> int:
        return len(self._starting) + len(self._runs)

    def _received(self, delivery: Delivery) -> None:
        try:
            job = JobMessage.decode(delivery.body)
        except BadMessage as error:
            Deferred.fromCoroutine(bury(self._broker, self._clock, delivery, str(error)))
            return
        if self._closed:
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
        if self._busy < self.concurrency:
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
            refusal = await self._starts.refusal(job, start.token)
        except CancelledError:
            self._hand_back(start)
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
        run = Run(job, self._place)
        if start.killed_because is not None:
            run.call_off(start.killed_because)
            return
        self._runs[job.run_id] = run
        await run.run()

    def _hand_back(self, start: Start) -> None:
        """It may have been granted meanwhile, with the answer still under way."""
        start.delivery.give_back()
        if start.job.grant:
            self._place.reports.report(self._starts.returned(start.job, start.token))

    def _broke(self, failure: Failure, job: JobMessage) -> None:
        log.failure("run {run_id} of job {job_id} broke", failure, run_id=job.run_id, job_id=job.job_id)

    def _end(self, start: Start) -> None:
        self._in_hand.discard(start.flow)
        self._starting.pop(start.job.run_id, None)
        self._runs.pop(start.job.run_id, None)
        while self._waiting and self._busy < self.concurrency:
            waited = self._waiting.pop(next(iter(self._waiting)))
            if waited.delivery.alive:
                self._begin(waited)
        if self._full and not self._closed and self._subscription is not None:
            self._full = False
            self._subscription.resume()
