"""Ordering a runner to drain, from a page or from a program."""

from cronq.database.gateway import Database
from cronq.database.orders import order_drain
from cronq.domain.access import Caller
from cronq.domain.document_values import shown
from cronq.domain.heartbeats import RunnerStatus
from cronq.web.http.errors import Conflict, NotFound

#: Of the runs that it ends when they take too long.
REASON = "its runner was ordered to drain"


async def drain_runner(database: Database, caller: Caller, name: str) -> str:
    """Order a runner to drain; gives a sentence on what becomes of that.

    Raises `NotFound` when there is no such runner, and `Conflict` when it hears nothing.
    """
    status = await database.transact(order_drain, name, REASON, caller.actor)
    match status:
        case None:
            raise no_such_runner(name)
        case RunnerStatus.SILENT:
            raise Conflict(f"Runner {name} is silent: it cannot be told anything until it is heard of again.")
        case RunnerStatus.STOPPED:
            return f"Runner {name} has stopped already."
        case RunnerStatus.DRAINING:
            return f"Runner {name} is draining already."
    return f"Runner {name} is told to drain: it takes nothing new, and ends when what it has in hand is over."


def no_such_runner(name: str) -> NotFound:
    """The error to raise when no runner has this id."""
    return NotFound(f"There is no runner {shown(name)}; those that have ended are forgotten after a week.")
