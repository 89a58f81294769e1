"""Which daemons are up, and how late the last slot was."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from cronq.database.standing_tables import daemons
from cronq.database.tables import runs
from cronq.domain.runs import Status
from cronq.domain.standing import KEPT, Daemon, DaemonKind, Standing, stand

#: So many of the newest rows of the ledger are looked at for one that was made when its slot was due.
_LOOKED_AT = 50
#: Nobody was to take those in time.
_LATE_BY_NATURE = Status.MISSED.value, Status.SKIPPED.value


@dataclass(frozen=True, slots=True)
class LastSlot:
    """The slot that was taken last."""

    slot: datetime
    #: How long after it an injector took it.
    late: timedelta


def read_standing(connection: Connection, now: datetime) -> Standing:
    """The daemons that have left signs of life in the last day."""
    found = connection.execute(select(daemons).where(daemons.c.seen_at >= now - KEPT)).mappings()
    return stand((Daemon(**(dict(row) | {"kind": DaemonKind(row["kind"])})) for row in found), now)


def read_last_slot(connection: Connection) -> LastSlot | None:
    """The slot that was taken last; None when none was, or many runs of another kind have been made since."""
    newest = select(runs.c.slot, runs.c.queued_at, runs.c.status, runs.c.cause, runs.c.attempt)
    for row in connection.execute(newest.order_by(runs.c.id.desc()).limit(_LOOKED_AT)):
        by_schedule = row.slot is not None and row.cause is None and row.attempt == 1
        if by_schedule and row.queued_at is not None and row.status not in _LATE_BY_NATURE:
            return LastSlot(row.slot, max(row.queued_at - row.slot, timedelta(0)))
    return None
