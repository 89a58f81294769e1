"""What a runner says of itself every few seconds, so that everyone sees it and what it holds."""

from dataclasses import dataclass
from datetime import datetime

from cronq.domain.errors import BadMessage
from cronq.domain.message_fields import (
    read_fields,
    take,
    take_id,
    take_time,
    time_text,
    write_fields,
)

#: Seconds between two heartbeats of a runner.
INTERVAL = 10.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One report of a runner about itself."""

    #: Its id, new at each start.
    runner: str
    host: str
    version: str
    queue: str
    routing_keys: tuple[str, ...]
    #: How many commands it may run at once, and how many slots are in use.
    concurrency: int
    busy: int
    #: It takes no more work and ends when its commands have ended.
    draining: bool
    #: By its own clock: when it started, and now.
    started_at: datetime
    sent_at: datetime
    #: The runs it answers for: it asks to start them, runs them, or has yet to deliver how they ended.
    holds: frozenset[str]

    def encode(self) -> bytes:
        """The JSON of the message."""
        return write_fields(
            {
                "runner": self.runner,
                "host": self.host,
                "version": self.version,
                "queue": self.queue,
                "routing_keys": self.routing_keys,
                "concurrency": self.concurrency,
                "busy": self.busy,
                "draining": self.draining,
                "started_at": time_text(self.started_at),
                "x-send-datetime": time_text(self.sent_at),
                "holds": sorted(self.holds),
            }
        )

    @classmethod
    def decode(cls, body: bytes) -> "Heartbeat":
        """Read a heartbeat; raises `BadMessage`."""
        data = read_fields(body)
        return cls(
            runner=take(data, "runner", str),
            host=take(data, "host", str),
            version=take(data, "version", str),
            queue=take(data, "queue", str),
            routing_keys=tuple(_texts(data.get("routing_keys"), "routing_keys")),
            concurrency=take(data, "concurrency", int),
            busy=take(data, "busy", int),
            draining=take(data, "draining", bool),
            started_at=take_time(data, "started_at"),
            sent_at=take_time(data, "x-send-datetime"),
            holds=frozenset(take_id({"holds": each}, "holds") for each in _texts(data.get("holds"), "holds")),
        )


def _texts(value: object, key: str) -> list[str]:
    if not isinstance(value, list):
        raise BadMessage(f"{key}: expected a list")
    return [take({key: each}, key, str) for each in value]
