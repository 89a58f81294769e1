"""Orders: what a runner is told to do, from afar."""

import enum
from dataclasses import dataclass

from cronq.domain.message_fields import (
    Fields,
    optional,
    read_fields,
    take,
    take_id,
    take_member,
    write_fields,
)


class OrderKind(enum.StrEnum):
    """What is to be done."""

    #: Stop as by SIGTERM.
    DRAIN = "drain"
    #: End the command of a run.
    KILL = "kill"


@dataclass(frozen=True, slots=True)
class Order:
    """One order to one runner. It may come several times."""

    kind: OrderKind
    #: A sentence for people, which becomes the reason of each run that it ends.
    reason: str
    #: Of a kill.
    run_id: str | None = None

    def encode(self) -> bytes:
        """The JSON of the message."""
        return write_fields({"order": self.kind, "reason": self.reason, "run_id": self.run_id})

    @classmethod
    def decode(cls, body: bytes) -> "Order":
        """Read an order; raises `BadMessage`."""
        return cls.read(read_fields(body))

    @classmethod
    def read(cls, data: Fields) -> "Order":
        """Read the keys of an order; raises `BadMessage`."""
        return cls(
            kind=take_member(tuple(OrderKind), data, "order"),
            reason=take(data, "reason", str),
            run_id=optional(take_id, data, "run_id"),
        )


def is_order(data: Fields) -> bool:
    """Whether a message in a runner's private queue is an order, and not an answer."""
    return "order" in data
