"""A bare chunked DELETE: so many rows of a table by their ids, each chunk a transaction."""

import time

from bench.installation import Installation

CHUNK = 100
"""As many as the pruner takes unless it is told otherwise."""


def prepare(installation: Installation) -> None:
    """Copy the events, with all that the table has."""
    installation.sql("DROP TABLE IF EXISTS bare_deleted")
    installation.sql("CREATE TABLE bare_deleted LIKE events")
    installation.sql("INSERT INTO bare_deleted SELECT * FROM events")


def rows_per_second(installation: Installation, ids: range) -> float:
    """Delete the rows with these ids."""
    with installation.connect() as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        for first in ids[::CHUNK]:
            last = min(first + CHUNK, ids.stop) - 1
            cursor.execute("DELETE FROM bare_deleted WHERE id BETWEEN %s AND %s", (first, last))
        return len(ids) / (time.perf_counter() - began)
