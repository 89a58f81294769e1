"""May this run start? The runner asks, results answers, and what was asked too long ago is asked again."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.interfaces import IReactorTime

from cronq.broker.interface import Broker
from cronq.domain.grants import Grant
from cronq.domain.messages import JobMessage, Report, ResultMessage
from cronq.services.mailbox import Mailbox
from cronq.services.reporting import publish_report

#: Seconds by the runner's own clock for which an answer is good, from the moment of asking: less than
#: `--lost-after`, so that a runner that was frozen meanwhile does not start what has been given up.
GRANT_LASTS = 10.0
#: Seconds to wait for an answer before asking again; doubled each time.
FIRST_PATIENCE, LONGEST_PATIENCE = 5.0, 60.0
#: How many starts are remembered that will not be made here; a copy of a request may be granted late.
REMEMBERED = 10_000


class Starts:
    """Asks for grants and waits for the answers."""

    def __init__(
        self,
        broker: Broker,
        clock: IReactorTime,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        host: str,
        runner: str,
        mailbox: Mailbox,
    ) -> None:
        self._broker = broker
        self._clock = clock
        self._now = now
        self._monotonic = monotonic
        self._host = host
        self._runner = runner
        self._mailbox = mailbox
        # By token and time of the request: only the latest one counts, as an older answer may be any age, and
        # as results takes back a grant that it could not deliver.
        self._awaited: dict[tuple[str, datetime | None], Deferred[Grant]] = {}
        #: By token.
        self._given_up: dict[str, JobMessage] = {}
        self._latest = datetime.min

    def now(self) -> datetime:
        """The time by this host's clock; later than all that were given before, even when it is set back."""
        self._latest = max(self._now(), self._latest + datetime.resolution)
        return self._latest

    async def refusal(self, job: JobMessage, token: str) -> str | None:
        """Announce the start; None when the run may start now, else the reason why not.

        A message that does not ask for a grant may start as soon as the broker has the announcement.
        """
        if not job.grant:
            await self._announce(job)
            return None
        refusal: str | None = "it was called off here"
        try:
            refusal = await self._ask_until_answered(job, token)
        finally:
            if refusal is not None:
                self._remember(job, token)
        return refusal

    async def _ask_until_answered(self, job: JobMessage, token: str) -> str | None:
        patience = FIRST_PATIENCE
        while True:
            if self._mailbox.address is None:
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
        while not await publish_report(self._broker, self._clock, self._announcement(job)):
            await self._broker.when_connected()

    async def _ask(self, job: JobMessage, token: str, patience: float) -> Grant | None:
        """Ask once; None when the broker did not confirm the question.

        Raises Twisted's `TimeoutError` when no answer comes within `patience` seconds.
        """
        question = self._announcement(job, token)
        awaited = token, question.start_time
        self._awaited[awaited] = answer = Deferred[Grant]()
        try:
            if not await publish_report(self._broker, self._clock, question, self._mailbox.address):
                return None
            return await answer.addTimeout(patience, self._clock)
        finally:
            self._awaited.pop(awaited, None)

    def returned(self, job: JobMessage, token: str) -> ResultMessage:
        """The report that the start of that token will not be made here."""
        return replace(self._announcement(job, token), report=Report.RETURNED, start_time=None)

    def answered(self, said: Grant) -> ResultMessage | None:
        """An answer has come. Gives what is to be reported when it grants a start that was given up before: a
        copy of the request was somewhere for long, and the run is to be had by others.
        """
        awaited: Deferred[Any] | None = self._awaited.pop((said.token, said.asked), None)
        if awaited is not None:
            awaited.callback(said)
            return None
        job = self._given_up.get(said.token)
        return self.returned(job, said.token) if job is not None and said.granted else None

    def _remember(self, job: JobMessage, token: str) -> None:
        self._given_up[token] = job
        if len(self._given_up) > REMEMBERED:
            del self._given_up[next(iter(self._given_up))]

    def _announcement(self, job: JobMessage, token: str | None = None) -> ResultMessage:
        now = self.now()
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
