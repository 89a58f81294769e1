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
    #: Send what a run writes to an address, for some seconds. It stands in no row of its own: see `viewings`.
    SHOW = "show"


@dataclass(frozen=True, slots=True)
class Order:
    """One order to one runner. It may come several times."""

    kind: OrderKind
    #: A sentence for people, which becomes the reason of each run that it ends.
    reason: str
    #: Of a kill, and when output is to be shown.
    run_id: str | None = None
    #: When output is to be shown: the private queue that wants it, and for how many seconds.
    address: str | None = None
    seconds: float | None = None

    def encode(self) -> bytes:
        """The JSON of the message."""
        said = {"order": self.kind, "reason": self.reason, "run_id": self.run_id}
        shown = {"address": self.address, "seconds": self.seconds}
        return write_fields(said | {key: value for key, value in shown.items() if value is not None})

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
            address=take(data, "address", str, default=None),
            seconds=take(data, "seconds", float, default=None),
        )


def is_order(data: Fields) -> bool:
    """Whether a message in a runner's private queue is an order, and not an answer."""
    return "order" in data
