"""Deleting what is old of the record of changes, a few rows at a time."""

from datetime import datetime

from sqlalchemy import Connection, delete, select

from cronq.database.access_tables import changes
from cronq.database.bulk import chunks


def delete_changes(connection: Connection, before: datetime, size: int) -> int:
    """Delete of the `size` first changes those that were made before an instant; gives how many they were."""
    first = select(changes.c.id, changes.c.at).order_by(changes.c.id).limit(size)
    ids = [row.id for row in connection.execute(first) if row.at < before]
    for some in chunks(ids):
        connection.execute(delete(changes).where(changes.c.id.in_(some)))
    return len(ids)
