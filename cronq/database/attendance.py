"""The signs of life of the daemons."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, update

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


def attend(connection: Connection, who: Attendee, connected: bool, first: bool) -> None:
    """Leave a sign of life; the `first` one of a process replaces those of earlier ones of its name."""
    now = database_now(connection)
    mine = daemons.c.kind == who.kind.value, daemons.c.name == who.name[:64]
    if first:
        connection.execute(delete(daemons).where(*mine))
        connection.execute(delete(daemons).where(daemons.c.seen_at < now - KEPT))
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
