"""What results answers to requests to start."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cronq.domain.message_fields import (
    Fields,
    optional,
    take,
    take_id,
    take_objects,
    take_time,
    time_text,
    write_fields,
)


@dataclass(frozen=True, slots=True)
class Grant:
    """From results to the runner that asked: the start is granted, or refused and why."""

    run_id: str
    token: str
    granted: bool
    reason: str | None = None
    #: Names the request that is answered, of several with the same token: its `start_time`.
    asked: datetime | None = None
    #: Not sent: whether this very request was granted now, so that no one can have had its answer before.
    first: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "run_id": self.run_id,
            "token": self.token,
            "granted": self.granted,
            "reason": self.reason,
            "asked": self.asked and time_text(self.asked),
        }

    @classmethod
    def read(cls, data: Fields) -> "Grant":
        """Read the keys of an answer; raises `BadMessage`."""
        return cls(
            run_id=take_id(data, "run_id"),
            token=take(data, "token", str),
            granted=take(data, "granted", bool),
            reason=take(data, "reason", str, default=None),
            asked=optional(take_time, data, "asked"),
        )


def write_answers(answers: Iterable[Grant]) -> bytes:
    """One message with all that a runner is answered at once."""
    return write_fields({"answers": [answer.as_json() for answer in answers]})


def read_answers(data: Fields) -> list[Grant]:
    """The answers of a message; raises `BadMessage`."""
    return [Grant.read(answer) for answer in take_objects(data, "answers")]
