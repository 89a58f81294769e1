"""How long jobs usually take, as results daemons keep it up."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from cronq.database import usual_tables
from cronq.database.bulk import chunks
from cronq.domain.usual import UsualDuration

_TABLE = usual_tables.usual_durations


def usual_durations(connection: Connection, job_ids: Collection[int]) -> Mapping[int, UsualDuration]:
    """What these jobs usually take, by the job's id; those that have never succeeded are not in it."""
    columns = _TABLE.c.job_id, _TABLE.c.runs, _TABLE.c.median, _TABLE.c.p95
    return {
        job_id: UsualDuration(*usual)
        for some in chunks(sorted(job_ids))
        for job_id, *usual in connection.execute(select(*columns).where(_TABLE.c.job_id.in_(some)))
    }
