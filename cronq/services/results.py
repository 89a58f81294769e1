"""Takes the reports of the runners, records them batch by batch, and answers who asks whether to start."""

from collections import defaultdict, deque
from collections.abc import Sequence
from typing import NamedTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.interface import RESULTS, SHARED_QUEUES, Broker, Delivery, Message, Subscription
from cronq.database.faults import OF_NO_VALUE
from cronq.database.gateway import Database
from cronq.database.grants import take_back
from cronq.database.ledger import record_reports
from cronq.domain.errors import BadMessage, BrokerUnavailable, CronqError, NotStorable, Unroutable
from cronq.domain.grants import Grant, write_answers
from cronq.domain.messages import ResultMessage
from cronq.domain.runs import new_token
from cronq.services.dead_letters import bury
from cronq.services.loop import Loop
from cronq.services.tables import Tables

log = Logger()

BATCH = 500
#: Messages taken from the broker and not yet recorded; the next batch collects while one is written.
AT_MOST = 2 * BATCH
#: Seconds from one batch to the next that is not full. Under load what comes meanwhile costs little more than
#: the first of it would cost alone; what comes after a silence is written at once.
GATHER = 0.01
#: Answers that go to a runner in one message, which has to stay below the size that is read.
ANSWERS = 100
LONGEST_REASON = 1000  # characters
IDLE = 60.0  # seconds; a delivery wakes the loop
WITHOUT_TABLES = 1.0  # seconds until it looks again


class Received(NamedTuple):
    """A message that is not recorded yet."""

    delivery: Delivery
    message: ResultMessage
    #: By this daemon's monotonic clock.
    at: float


class Answer(NamedTuple):
    """What a runner is answered."""

    grant: Grant
    #: The request, if this is the only answer to it so far.
    only: ResultMessage | None


class Results(Loop):
    """Records a batch in one transaction, then answers and accepts its messages."""

    def __init__(self, database: Database, tables: Tables, broker: Broker, clock: IReactorTime) -> None:
        super().__init__("results", self.record, clock, tables.trouble)
        self._tables = tables
        self._database = database
        self._broker = broker
        self._waiting: deque[Received] = deque()
        self._in_writing: Sequence[Received] = ()
        #: Smaller while a message that cannot be recorded is looked for.
        self._batch = BATCH
        self._next_at = clock.seconds()
        self._subscription: Subscription | None = None

    def startService(self) -> None:
        """Ask for messages."""
        queue = next(queue for queue in SHARED_QUEUES if queue.name == RESULTS)
        self._subscription = self._broker.subscribe(queue, self._received, AT_MOST)
        super().startService()

    def stopService(self) -> Deferred[None]:
        """Take no more; fires when the batch in hand is recorded. What is left goes back to the broker."""
        return Deferred.fromCoroutine(self._stop())

    def lag(self) -> float:
        """Seconds for which the oldest message in hand has been waiting to be recorded."""
        oldest = self._in_writing or self._waiting
        return self._clock.seconds() - oldest[0].at if oldest else 0.0

    async def record(self) -> float:
        """One pass: record at most one batch of what has been received."""
        if not await self._tables.ready():
            return WITHOUT_TABLES
        self._drop_dead()
        now = self._clock.seconds()
        if now < self._next_at and 0 < len(self._waiting) < self._batch:
            return self._next_at - now
        batch = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
        if batch:
            self._next_at = now + GATHER
            self._in_writing = batch
            try:
                await self._record(batch)
            except BaseException:
                self._waiting.extendleft(reversed(batch))
                raise
            finally:
                self._in_writing = ()
        return 0.0 if self._waiting else IDLE

    def _received(self, delivery: Delivery) -> None:
        try:
            message = ResultMessage.decode(delivery.body)
        except BadMessage as error:
            Deferred.fromCoroutine(bury(self._broker, self._clock, delivery, str(error)))
            return
        self._drop_dead()
        self._waiting.append(Received(delivery, message, self._clock.seconds()))
        if len(self._waiting) == 1:
            # With all that has come by the same turn of the reactor.
            self._clock.callLater(0, self.wake)
        elif len(self._waiting) == self._batch:
            self.wake()

    def _drop_dead(self) -> None:
        """Forget what comes again by the next connection; it is older than all that came by this one."""
        while self._waiting and not self._waiting[0].delivery.alive:
            self._waiting.popleft()

    async def _record(self, batch: Sequence[Received]) -> None:
        try:
            answers = await self._database.transact(record_reports, [received.message for received in batch])
        except NotStorable as error:
            await self._refused(batch, str(error))
            return
        except (CronqError, CancelledError, *OF_NO_VALUE):
            raise
        except Exception as error:
            if len(batch) == 1:
                log.failure("the report of run {run_id} cannot be recorded", run_id=batch[0].message.run_id)
            await self._refused(batch, f"to record it failed: {error!r}"[:LONGEST_REASON])
            return
        self._batch = min(BATCH, 2 * self._batch)
        for address, some in _by_runner(batch, answers).items():
            for start in range(0, len(some), ANSWERS):
                Deferred.fromCoroutine(self._answer(address, some[start : start + ANSWERS]))
        for received in batch:
            received.delivery.accept()

    async def _refused(self, batch: Sequence[Received], reason: str) -> None:
        """One message that cannot be recorded must not stop the others: halve until it stands alone."""
        if len(batch) == 1:
            await bury(self._broker, self._clock, batch[0].delivery, reason)
        else:
            self._batch = len(batch) // 2
            self._waiting.extendleft(reversed(batch))

    async def _answer(self, address: str, answers: Sequence[Answer]) -> None:
        body = write_answers(answer.grant for answer in answers)
        message = Message(routing_key=address, body=body, message_id=new_token(), direct=True)
        try:
            await self._broker.publish(message)
        except BrokerUnavailable:
            # Its runner asks again if it has had no answer.
            log.debug("{count} answers for {address} may be lost", count=len(answers), address=address)
        except Unroutable:
            for answer in answers:
                if answer.only is not None:
                    await self._take_back(answer.only)

    async def _take_back(self, request: ResultMessage) -> None:
        """The runner that was granted a start is gone, or has a new connection and asks again by that."""
        try:
            if not await self._database.transact(take_back, request):
                return
        except CronqError as error:
            log.warn("run {run_id} could not be queued again: {why}", run_id=request.run_id, why=str(error))
            return
        log.info(
            "run {run_id} of job {job_id} is queued again: the runner that asked for it is gone",
            run_id=request.run_id,
            job_id=request.job_id,
        )

    async def _stop(self) -> None:
        if self._subscription is not None:
            await self._subscription.cancel()
        await super().stopService()
        while self._waiting:
            self._waiting.popleft().delivery.give_back()


def _by_runner(batch: Sequence[Received], grants: Sequence[Grant | None]) -> dict[str, list[Answer]]:
    """The answers to those who wait for one, by the address of each."""
    answers: dict[str, list[Answer]] = defaultdict(list)
    for (delivery, message, _), grant in zip(batch, grants, strict=True):
        if grant is not None and delivery.reply_to is not None:
            # A message that is not alive is in other hands, too, and may be answered by them.
            only = message if grant.first and delivery.alive else None
            answers[delivery.reply_to].append(Answer(grant, only))
    return answers
