"""Rows for several slots that do not run: one for a whole pause, which grows from slot to slot."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cronq.database.bulk import chunks, update_rows
from cronq.database.stored import StoredJob
from cronq.database.tables import runs
from cronq.domain.settlement import Passed


class GrowingRanges:
    """The rows that the pauses of some jobs have made so far; the jobs are locked."""

    def __init__(self, connection: Connection, jobs: Iterable[StoredJob]) -> None:
        self._connection = connection
        self._rows: dict[str, Any] = {}
        self._grown: list[dict[str, Any]] = []
        columns = (
            runs.c.id, runs.c.run_id, runs.c.job_id, runs.c.definition_id, runs.c.status, runs.c.reason,
            runs.c.last_slot, runs.c.slots,
        )  # fmt: skip
        for some in chunks(sorted({job.range_run_id for job in jobs if job.range_run_id is not None})):
            for row in connection.execute(select(*columns).where(runs.c.run_id.in_(some))):
                self._rows[row.run_id] = row

    def grow(self, job: StoredJob, settled_until: datetime, passed: Passed) -> bool:
        """Put the slots into the row that the job has already; False when they need one of their own."""
        row = self._rows.get(job.range_run_id or "")
        if row is None or job.definition is None:
            return False
        same = (row.definition_id, row.status, row.reason) == (
            job.definition.id,
            passed.status,
            passed.reason,
        )
        if not same or row.last_slot != job.schedule().last_until(settled_until):
            return False
        self._grown.append(
            {
                "id": row.id,
                "run_id": row.run_id,
                "job_id": row.job_id,
                "status": row.status,
                "last_slot": passed.last,
                "slots": row.slots + passed.count,
            }
        )
        return True

    def write(self) -> None:
        """Write what has grown."""
        update_rows(self._connection, runs, self._grown)
