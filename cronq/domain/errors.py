"""The one tree of errors: whoever catches `CronqError` catches everything that cronq says on purpose.

The text of each is a sentence for a person; it is printed as it is, in one line and without a traceback.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class CronqError(Exception):
    """Something cronq can explain in one sentence."""


class BadSchedule(CronqError):
    """A schedule text that cannot be understood; `position` is the offset of the fault in it, from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, or looks like a slip, in a document."""

    #: Where in the document, as in `jobs[3].schedule`; empty for the document as a whole.
    place: str
    message: str
    #: In the text that was read, from 1; None when there was no text, or no line is to blame.
    line: int | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class BadDocument(CronqError):
    """A category document that cannot be accepted: every fault and every remark, in document order."""

    def __init__(self, faults: Iterable[Fault], remarks: Iterable[Fault] = ()) -> None:
        self.faults = tuple(faults)
        #: What would have been accepted, but looks like a slip.
        self.remarks = tuple(remarks)
        super().__init__("; ".join(map(str, self.faults)))

    @property
    def warnings(self) -> tuple[str, ...]:
        """The remarks as sentences."""
        return tuple(map(str, self.remarks))


class BadMessage(CronqError):
    """A message that cannot be used, now or later; the text says why."""


class CannotStart(CronqError):
    """A command that could not be started at all; the text says why."""


class IllegalMove(CronqError):
    """A run was asked to move between two statuses that no arrow joins."""


class BrokerUnavailable(CronqError):
    """There is no connection to the broker now, or it ended before the broker had confirmed."""


class Unroutable(CronqError):
    """The broker is there, but no queue is bound to the routing key of the message."""


class DatabaseUnavailable(CronqError):
    """The database does not answer now; the same call may succeed later."""


class NotStorable(CronqError):
    """The database refuses what was to be written, today and tomorrow."""


class NotPossible(CronqError):
    """What is asked for cannot be done to the thing as it is now."""
