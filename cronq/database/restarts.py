"""What a start finds when broker and runner live in its own process: its earlier life left nobody at work."""

from sqlalchemy import Connection, select

from cronq.database.gateway import now as database_now
from cronq.database.ledger import record_reports
from cronq.database.tables import runs
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.runs import Status

REASON = "cronq was killed before it had ended"


def lose_running(connection: Connection) -> int:
    """Give up every run that is running; gives how many there were.

    Whose command had ended after all, and has its report on disk, is corrected when that is delivered.
    """
    now = database_now(connection)
    found = select(runs.c.run_id, runs.c.job_id, runs.c.host).where(runs.c.status == Status.RUNNING.value)
    lost = [
        ResultMessage(run_id, job_id, Report.LOST, now, host or "", reason=REASON)
        for run_id, job_id, host in connection.execute(found)
    ]
    record_reports(connection, lost)
    return len(lost)
