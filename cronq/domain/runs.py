"""The life of a run: its statuses, the moves between them that are legal, and how a report moves it."""

import enum
import secrets
from datetime import UTC, datetime


class Status(enum.StrEnum):
    """What the ledger says of a run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    LOST = "lost"
    SKIPPED = "skipped"
    MISSED = "missed"
    UNROUTABLE = "unroutable"

    @property
    def final(self) -> bool:
        """Whether the run is over, as far as anyone knows."""
        return self not in OPEN


class Cause(enum.StrEnum):
    """Why there is a run for a slot, when its job's schedule did not say so."""

    #: The jobs that its job runs after had succeeded.
    AFTER = "after"
    #: Somebody asked for the slots of a time that has passed.
    BACKFILL = "backfill"


OPEN = frozenset({Status.QUEUED, Status.RUNNING})
#: How a command that was started can end.
ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.TIMED_OUT, Status.KILLED})

#: What somebody should look at, the most usual first; but for what was killed because somebody wanted it.
TROUBLE = (
    Status.FAILED,
    Status.TIMED_OUT,
    Status.KILLED,
    Status.LOST,
    Status.MISSED,
    Status.UNROUTABLE,
)

#: All legal moves. A report may overtake the one before it, so `queued` may end at once; and a run that was
#: given up for lost is corrected when its runner turns up after all. A grant that reaches no one is taken
#: back.
MOVES: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.LOST, Status.SKIPPED, Status.MISSED, Status.UNROUTABLE})
    | ENDED,
    Status.RUNNING: frozenset({Status.LOST, Status.QUEUED}) | ENDED,
    Status.LOST: frozenset({Status.RUNNING}) | ENDED,
} | dict.fromkeys(ENDED | {Status.SKIPPED, Status.MISSED, Status.UNROUTABLE}, frozenset[Status]())


def may_move(old: Status, new: Status) -> bool:
    """Whether an arrow leads from one status to the other."""
    return new in MOVES[old]


def new_run_id(now: datetime) -> str:
    """An id for a run that begins its life at `now`: 32 hex digits.

    The first twelve are the milliseconds since 1970, as in a UUID of version 7 (RFC 9562, section 5.7):
    ids made one after the other stand side by side in an index, which keeps the insertion of many cheap.
    """
    return new_run_ids(now, 1)[0]


def new_run_ids(now: datetime, count: int) -> list[str]:
    """Several ids in ascending order, so that rows are locked in one order by id and by run id."""
    milliseconds = int(now.replace(tzinfo=UTC).timestamp() * 1000)
    digits = secrets.token_hex(10 * count)
    return sorted(f"{milliseconds:012x}{digits[start : start + 20]}" for start in range(0, len(digits), 20))


def new_token() -> str:
    """A name that no one else thinks of: 32 hex digits."""
    return secrets.token_hex(16)
