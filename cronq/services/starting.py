"""May this run start? The runner asks, results answers, and what was asked too long ago is asked again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger

from cronq.broker.interface import RESULTS, Broker, Delivery, Message, Queue, Subscription
from cronq.domain.errors import BadMessage, BrokerUnavailable, Unroutable
from cronq.domain.messages import Grant, JobMessage, Report, ResultMessage
from cronq.domain.runs import new_token

log = Logger()

#: Seconds by the runner's own clock for which an answer is good, from the moment of asking: less than
#: `--lost-after`, so that a runner that was frozen meanwhile does not start what has been given up.
GRANT_LASTS = 10.0
#: Seconds to wait for an answer before asking again; doubled each time.
FIRST_PATIENCE, LONGEST_PATIENCE = 5.0, 60.0
#: Seconds to wait when there is no queue for reports.
WITHOUT_QUEUE = 5.0


class Starts:
    """Asks for grants and waits for the answers on a private queue."""

    def __init__(
        self,
        broker: Broker,
        clock: IReactorTime,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        host: str,
        runner: str,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._now = now
        self._monotonic = monotonic
        self._host = host
        self._runner = runner
        self._awaited: dict[str, Deferred[Grant]] = {}
        self._answers: Subscription | None = None

    def open(self) -> None:
        """Begin to listen for answers."""
        queue = Queue(f"cronq_runner.{self._runner}", private=True)
        self._answers = self._broker.subscribe(queue, self._answered, at_most=1000)

    def close(self) -> Deferred[None]:
        """Stop listening."""
        assert self._answers is not None
        return self._answers.cancel()

    async def refusal(self, job: JobMessage) -> str | None:
        """Announce the start; None when the run may start now, else the reason why not.

        A message that does not ask for a grant may start as soon as the broker has the announcement.
        """
        token = new_token() if job.grant else None
        patience = FIRST_PATIENCE
        while True:
            answer = self._await_answer(token) if token else None
            asked = await self._announce(job, token)
            if answer is None or token is None:
                return None
            said = await self._patiently(answer, token, patience)
            patience = min(LONGEST_PATIENCE, patience * 2)
            if said is not None and not said.granted:
                return said.reason or "no reason was given"
            if said is not None and self._monotonic() - asked < GRANT_LASTS:
                return None

    def _await_answer(self, token: str) -> Deferred[Grant]:
        self._awaited[token] = answer = Deferred[Grant]()
        return answer

    async def _patiently(self, answer: Deferred[Grant], token: str, seconds: float) -> Grant | None:
        answer.addTimeout(seconds, self._clock)
        try:
            return await answer
        except DeferredTimeout:
            return None
        finally:
            self._awaited.pop(token, None)

    async def _announce(self, job: JobMessage, token: str | None) -> float:
        """Publish until the broker confirms; gives when that was begun, by the monotonic clock."""
        while True:
            await self._broker.when_connected()
            asked, now = self._monotonic(), self._now()
            announcement = ResultMessage(
                run_id=job.run_id,
                job_id=job.job_id,
                report=Report.STARTING,
                sent_at=now,
                host=self._host,
                start_time=now,
                token=token,
                runner=self._runner,
            )
            if await self._published(announcement, reply=token is not None):
                return asked

    async def _published(self, announcement: ResultMessage, *, reply: bool) -> bool:
        address = self._answers.address if reply and self._answers else None
        message = Message(RESULTS, announcement.encode(), announcement.message_id, reply_to=address)
        try:
            await self._broker.publish(message)
        except BrokerUnavailable:
            return False
        except Unroutable:
            log.error("there is no queue for reports; run {run_id} waits", run_id=announcement.run_id)
            await deferLater(self._clock, WITHOUT_QUEUE, lambda: None)
            return False
        return True

    def _answered(self, delivery: Delivery) -> None:
        delivery.accept()
        try:
            said = Grant.decode(delivery.body)
        except BadMessage as error:
            log.warn("an answer cannot be read: {why}", why=str(error))
            return
        awaited: Deferred[Any] | None = self._awaited.pop(said.token, None)
        if awaited is not None:
            awaited.callback(said)
