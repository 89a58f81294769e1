"""Publishing recorded runs, and recording what the broker made of them."""

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cronq.broker.interface import Broker, Message
from cronq.database.gateway import Database
from cronq.database.outbox import mark_published, mark_unroutable
from cronq.domain.errors import BrokerUnavailable, Unroutable
from cronq.domain.jobs import Publication
from cronq.domain.messages import job_message
from cronq.domain.rules import decode_rules

log = Logger()


async def publish_runs(broker: Broker, database: Database, runs: Sequence[Publication]) -> None:
    """Publish these runs, by priority, and record which the broker confirmed and which it could not route.

    What it did neither of stays in the database as it is, and will be published again.
    """
    pending = [(run, broker.publish(_message(run))) for run in sorted(runs, key=lambda run: -_priority(run))]
    confirmed: list[Publication] = []
    refused: list[Publication] = []
    for run, answer in pending:
        if await _routed(run, answer, refused):
            confirmed.append(run)
    if confirmed:
        await database.transact(mark_published, confirmed)
    if refused:
        await database.transact(mark_unroutable, refused)


async def _routed(run: Publication, answer: Deferred[None], refused: list[Publication]) -> bool:
    try:
        await answer
    except Unroutable:
        log.warn(
            "no queue is bound to routing key {routing_key!r} of job {job_id} ({name!r}): run {run_id}"
            " is unroutable",
            routing_key=run.routing_key,
            job_id=run.job_id,
            name=run.name,
            run_id=run.run_id,
        )
        refused.append(run)
        return False
    except BrokerUnavailable:
        return False  # the broker says itself what is wrong with it
    return True


def _message(run: Publication) -> Message:
    body = job_message(run).encode()
    return Message(run.routing_key, body, message_id=run.run_id, priority=_priority(run))


def _priority(run: Publication) -> int:
    return decode_rules(run.rules).priority
