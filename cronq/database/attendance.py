"""The signs of life of the daemons."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from cronq.database.gateway import now as database_now
from cronq.database.standing_tables import daemons
from cronq.domain.standing import KEPT, DaemonKind


@dataclass(frozen=True, slots=True)
class Attendee:
    """Who leaves them."""

    kind: DaemonKind
    #: `host.pid`.
    name: str
    host: str
    version: str


def nobody_is(_name: str) -> bool:
    """Knows of no process that it is dead."""
    return False


def attend(
    connection: Connection,
    who: Attendee,
    connected: bool,
    first: bool,
    is_dead: Callable[[str], bool] = nobody_is,
) -> None:
    """Leave a sign of life; the `first` one of a process replaces those of earlier ones of its name.

    It also takes away those of its kind and host of which `is_dead` knows, by their names, that they have
    ended. (Should one be alive after all, its next sign puts it back.)
    """
    now = database_now(connection)
    mine = daemons.c.kind == who.kind.value, daemons.c.name == who.name[:64]
    if first:
        connection.execute(delete(daemons).where(*mine))
        connection.execute(delete(daemons).where(daemons.c.seen_at < now - KEPT))
        beside = daemons.c.kind == who.kind.value, daemons.c.host == who.host[:255]
        names = connection.scalars(select(daemons.c.name).where(*beside)).all()
        if dead := [name for name in names if is_dead(name)]:
            connection.execute(delete(daemons).where(*beside, daemons.c.name.in_(dead)))
    else:
        seen = update(daemons).where(*mine).values(seen_at=now, connected=connected)
        if connection.execute(seen).rowcount:
            return
    row = {
        "kind": who.kind.value,
        "name": who.name[:64],
        "host": who.host[:255],
        "version": who.version[:32],
        "started_at": now,
        "seen_at": now,
        "connected": connected,
    }
    connection.execute(insert(daemons).values(row))


def leave(connection: Connection, who: Attendee) -> None:
    """End in good order: nobody has to wonder where it is."""
    connection.execute(
        delete(daemons).where(daemons.c.kind == who.kind.value, daemons.c.name == who.name[:64])
    )
