"""Which of its runs says how it stands with a job."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, func, select

from cronq.database.reading.runs import RunRecord, ledger_records, select_runs
from cronq.database.tables import jobs, runs
from cronq.domain.runs import Status


def telling_runs(connection: Connection, job_ids: Collection[int]) -> Mapping[int, RunRecord]:
    """The run in the ledger that says how it stands with each of these jobs, by the job's id: the latest that
    is running, and else the latest of all.
    """
    if not job_ids:
        return {}
    # One dive into the index for each job; GROUP BY would walk over all their runs.
    latest = select(func.max(runs.c.id)).where(runs.c.job_id == jobs.c.id).scalar_subquery()
    rows = connection.execute(select(jobs.c.id, latest).where(jobs.c.id.in_(sorted(job_ids))))
    ids = {job_id: run for job_id, run in rows if run is not None} | running_rows(connection, job_ids)
    found = ledger_records(connection, select_runs().where(runs.c.id.in_(sorted(ids.values()))))
    return {run.job_id: run for run in found if run.job_id is not None}


def running_rows(connection: Connection, job_ids: Collection[int]) -> dict[int, int]:
    """The row of the latest run of each of these jobs that is running, by the job's id.

    It need not be among the latest rows: those after it may have been skipped, or wait for it.
    """
    query = select(runs.c.job_id, func.max(runs.c.id)).where(
        runs.c.status == Status.RUNNING.value, runs.c.job_id.in_(sorted(job_ids))
    )
    for server in ("mysql", "mariadb"):
        # What is open is little, however many runs these jobs ever had.
        query = query.with_hint(runs, "FORCE INDEX (runs_status)", server)
    return {row[0]: row[1] for row in connection.execute(query.group_by(runs.c.job_id))} if job_ids else {}
