"""What people have said of jobs that fail, as far as it still holds."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, literal, select, union_all

from cronq.database.acknowledgement_tables import acknowledgements
from cronq.database.tables import runs
from cronq.domain.runs import Status

#: It holds for so many more runs at most: after very many failures somebody should look again.
_MOST_RUNS = 10_000


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody knows."""

    who: str | None
    note: str | None
    at: datetime


def acknowledged(connection: Connection, job_ids: Collection[int]) -> Mapping[int, Acknowledgement]:
    """What people have said of these jobs, as far as it still holds."""
    query = select(acknowledgements).where(acknowledgements.c.job_id.in_(sorted(job_ids)))
    found = connection.execute(query).all() if job_ids else []
    holding = _holding(connection, {row.job_id: row.run_row for row in found})
    return {row.job_id: Acknowledgement(row.who, row.note, row.at) for row in found if row.job_id in holding}


def _holding(connection: Connection, said_at: Mapping[int, int]) -> frozenset[int]:
    """Those of these jobs of which no run has succeeded since that row of the ledger."""
    if not said_at:
        return frozenset()
    succeeded = func.max(case((runs.c.status == Status.SUCCEEDED.value, 1), else_=0))
    counted = []
    for job_id, run_row in said_at.items():
        since = select(runs.c.id).where(runs.c.job_id == job_id, runs.c.id > run_row)
        some = since.order_by(runs.c.id).limit(_MOST_RUNS).subquery()
        joined = some.join(runs, runs.c.id == some.c.id)
        counted.append(select(literal(job_id), func.count(), succeeded).select_from(joined))
    return frozenset(
        job_id
        for job_id, count, well in connection.execute(union_all(*counted))
        if not well and count < _MOST_RUNS
    )
