"""What a scenario does with the broker behind the daemons' backs."""

import contextlib
from collections.abc import Iterable
from typing import Any

import pika

from cronq.broker.interface import JOBS, RESULTS


@contextlib.contextmanager
def _channel(url: str) -> Any:
    with contextlib.closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        yield connection.channel()


def purge_jobs(url: str) -> None:
    """Throw away the job messages that no runner has taken."""
    with _channel(url) as channel:
        channel.queue_purge(JOBS)


def messages_in(url: str, queue: str) -> int:
    """How many messages are ready in a queue."""
    with _channel(url) as channel:
        return int(channel.queue_declare(queue, passive=True).method.message_count)


def publish_results(url: str, messages: Iterable[tuple[str, bytes]]) -> None:
    """Put messages with these ids and bodies into the queue of the results, as a runner would."""
    with _channel(url) as channel:
        for message_id, body in messages:
            properties = pika.BasicProperties(
                content_type="application/json", delivery_mode=2, message_id=message_id
            )
            channel.basic_publish("", RESULTS, body, properties)
