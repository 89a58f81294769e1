"""The one tree of errors: whoever catches `CronqError` catches everything that cronq says on purpose.

The text of each is a sentence for a person; it is printed as it is, in one line and without a traceback.
"""


class CronqError(Exception):
    """Something cronq can explain in one sentence."""


class BadSchedule(CronqError):
    """A schedule text that cannot be understood; `position` is the offset of the fault in it, from 0."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


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
