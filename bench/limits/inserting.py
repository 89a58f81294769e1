"""Bare inserts of events, 500 in one statement and one transaction."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

from bench.installation import Installation, utc_now
from cronq.domain.runs import new_run_ids

BATCH = 500

_INSERT = "INSERT INTO bare_events (job_id, `datetime`, run_id, type, host) VALUES (%s, %s, %s, %s, %s)"


def prepare(installation: Installation) -> None:
    """Make an empty table."""
    installation.sql("DROP TABLE IF EXISTS bare_events")
    installation.sql(
        "CREATE TABLE bare_events (id BIGINT AUTO_INCREMENT PRIMARY KEY, job_id INT, `datetime` DATETIME(6),"
        " run_id CHAR(32) CHARACTER SET ascii, type VARCHAR(32), host VARCHAR(255),"
        " KEY (job_id), KEY (run_id))"
    )


def inserts_per_second(installation: Installation, count: int) -> float:
    """Insert so many rows."""
    prepare(installation)
    rows = _rows(count)
    connection = installation.connect()
    connection.autocommit(False)
    with connection, connection.cursor() as cursor:
        began = time.perf_counter()
        while batch := list(itertools.islice(rows, BATCH)):
            cursor.executemany(_INSERT, batch)
            connection.commit()
        return count / (time.perf_counter() - began)


def _rows(count: int) -> Iterator[tuple[Any, ...]]:
    now = utc_now()
    for number, run_id in enumerate(new_run_ids(now, count)):
        yield number % 1000, now, run_id, "finished", "a-host-with-a-name"
