"""Heartbeats: what the runners and the results daemons say of themselves, to all results daemons.

Each has a private queue for them, so each hears all of them. What a results daemon says of itself, it hears
too: so it knows that it can hear, and who else takes reports from the queue that they share.
"""

import enum
from dataclasses import dataclass
from datetime import datetime

from cronq.domain.errors import BadMessage
from cronq.domain.message_fields import (
    Fields,
    read_fields,
    take,
    take_id,
    take_member,
    take_texts,
    take_time,
    time_text,
    write_fields,
)

#: Seconds between two of them.
INTERVAL = 10.0
#: Bytes; a runner that was cut off for long may hold a hundred thousand reports.
SIZE_LIMIT = 16 * 1024 * 1024
_RUNNER, _RESULTS = "runner", "results"


class RunnerStatus(enum.StrEnum):
    """How a runner is."""

    UP = "up"
    #: It takes nothing new, and ends when what it has in hand is over.
    DRAINING = "draining"
    STOPPED = "stopped"
    #: Not said by the runner: nothing has been heard of it for too long.
    SILENT = "silent"


ALIVE = RunnerStatus.UP, RunnerStatus.DRAINING


@dataclass(frozen=True, slots=True)
class RunnerHeartbeat:
    """What a runner says of itself."""

    runner: str
    host: str
    #: The id of its state folder.
    home: str
    version: str
    queue: str
    routing_keys: tuple[str, ...]
    concurrency: int
    #: By its own clock, and later than every request to start that it made before.
    sent_at: datetime
    status: RunnerStatus
    #: The run ids of which it has yet to report the end, from the first request to start each.
    holds: frozenset[str]
    #: Its private queue on the present connection.
    address: str | None

    def encode(self) -> bytes:
        """The JSON of the message."""
        return write_fields(
            {
                "type": _RUNNER,
                "runner": self.runner,
                "host": self.host,
                "home": self.home,
                "version": self.version,
                "queue": self.queue,
                "routing_keys": self.routing_keys,
                "concurrency": self.concurrency,
                "sent_at": time_text(self.sent_at),
                "status": self.status,
                "holds": sorted(self.holds),
                "address": self.address,
            }
        )


@dataclass(frozen=True, slots=True)
class ResultsHeartbeat:
    """What a results daemon says of itself."""

    daemon: str
    #: Seconds for which the oldest report that it has in hand has been waiting to be recorded.
    lag: float
    #: Whether this is its last word.
    stopped: bool = False

    def encode(self) -> bytes:
        """The JSON of the message."""
        return write_fields(
            {"type": _RESULTS, "daemon": self.daemon, "lag": self.lag, "stopped": self.stopped}
        )


def decode_heartbeat(body: bytes) -> RunnerHeartbeat | ResultsHeartbeat:
    """Read a heartbeat; raises `BadMessage`."""
    data = read_fields(body, SIZE_LIMIT)
    kind = take(data, "type", str)
    if kind == _RUNNER:
        return _runner(data)
    if kind == _RESULTS:
        return ResultsHeartbeat(
            take(data, "daemon", str), take(data, "lag", float), take(data, "stopped", bool, default=False)
        )
    raise BadMessage("type: expected runner or results")


def _runner(data: Fields) -> RunnerHeartbeat:
    return RunnerHeartbeat(
        runner=take(data, "runner", str),
        host=take(data, "host", str),
        home=take_id(data, "home"),
        version=take(data, "version", str),
        queue=take(data, "queue", str),
        routing_keys=take_texts(data, "routing_keys"),
        concurrency=take(data, "concurrency", int),
        sent_at=take_time(data, "sent_at"),
        status=take_member(tuple(RunnerStatus), data, "status"),
        holds=frozenset(take_texts(data, "holds")),
        address=take(data, "address", str, default=None),
    )
