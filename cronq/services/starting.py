"""May this run start? The runner asks, results answers, and what was asked too long ago is asked again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.broker.interface import Broker, Delivery, Queue, Subscription
from cronq.domain.errors import BadMessage
from cronq.domain.messages import Grant, JobMessage, Report, ResultMessage
from cronq.domain.runs import new_token
from cronq.services.reporting import publish_report

log = Logger()

#: Seconds by the runner's own clock for which an answer is good, from the moment of asking: less than
#: `--lost-after`, so that a runner that was frozen meanwhile does not start what has been given up.
GRANT_LASTS = 10.0
#: Seconds to wait for an answer before asking again; doubled each time.
FIRST_PATIENCE, LONGEST_PATIENCE = 5.0, 60.0


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
        # By token and time of the request: only the latest one counts, as an older answer may be any age, and
        # as results takes back a grant that it could not deliver.
        self._awaited: dict[tuple[str, datetime | None], Deferred[Grant]] = {}
        self._latest = datetime.min
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
        if not job.grant:
            await self._announce(job)
            return None
        token, patience = new_token(), FIRST_PATIENCE
        while True:
            await self._broker.when_connected()
            asked = self._monotonic()
            try:
                said = await self._ask(job, token, patience)
            except DeferredTimeout:
                patience = min(LONGEST_PATIENCE, patience * 2)
                continue
            if said is not None and not said.granted:
                return said.reason or "no reason was given"
            if said is not None and self._monotonic() - asked < GRANT_LASTS:
                return None

    async def _announce(self, job: JobMessage) -> None:
        while True:
            await self._broker.when_connected()
            if await publish_report(self._broker, self._clock, self._announcement(job)):
                return

    async def _ask(self, job: JobMessage, token: str, patience: float) -> Grant | None:
        """Ask once; None when the broker did not confirm the question.

        Raises Twisted's `TimeoutError` when no answer comes within `patience` seconds.
        """
        address = self._answers.address if self._answers else None
        question = self._announcement(job, token)
        awaited = token, question.start_time
        self._awaited[awaited] = answer = Deferred[Grant]()
        try:
            if not await publish_report(self._broker, self._clock, question, address):
                return None
            return await answer.addTimeout(patience, self._clock)
        finally:
            self._awaited.pop(awaited, None)

    def _announcement(self, job: JobMessage, token: str | None = None) -> ResultMessage:
        # Each request is later than the one before, even by a clock that is set back.
        self._latest = now = max(self._now(), self._latest + datetime.resolution)
        return ResultMessage(
            run_id=job.run_id,
            job_id=job.job_id,
            report=Report.STARTING,
            sent_at=now,
            host=self._host,
            start_time=now,
            token=token,
            runner=self._runner,
        )

    def _answered(self, delivery: Delivery) -> None:
        delivery.accept()
        try:
            said = Grant.decode(delivery.body)
        except BadMessage as error:
            log.warn("an answer cannot be read: {why}", why=str(error))
            return
        awaited: Deferred[Any] | None = self._awaited.pop((said.token, said.asked), None)
        if awaited is not None:
            awaited.callback(said)
