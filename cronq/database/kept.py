"""What the installation keeps for itself, by name: one row of the table `settings` each."""

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from cronq.database.tables import settings


def keep_first(connection: Connection, name: str, value: str) -> bool:
    """Keep a value under a name that has none yet; of several who do so at once, the first wins.

    Gives whether it was this one.
    """
    try:
        with connection.begin_nested():
            connection.execute(insert(settings).values(name=name, value=value))
    except IntegrityError:
        return False
    return True
