"""What a runner does first: end what its dead predecessors left running, and take over their notes."""

from collections.abc import Callable, Iterable
from datetime import datetime

from twisted.logger import Logger

from cronq.domain.messages import Report, ResultMessage
from cronq.execution.leftovers import Leftover, end_group
from cronq.services.notebook import Notebook, StartedRun

log = Logger()


def recover(
    notebook: Notebook,
    now: Callable[[], datetime],
    host: str,
    end: Callable[[Leftover], bool] = end_group,
) -> None:
    """End the commands that the notes say are running, and note that their runs are lost."""
    for run in list(notebook.started.values()):
        notebook.note_report(_lost(run, now(), host, was_running=end(run.leftover)))


def take_over(notebook: Notebook, others: Iterable[Notebook]) -> None:
    """Move what other notebooks hold into this one; raises `OSError` when it cannot be kept there."""
    for other in others:
        notebook.absorb(other)


def _lost(run: StartedRun, now: datetime, host: str, *, was_running: bool) -> ResultMessage:
    what = (
        "its command was still running and was ended" if was_running else "how its command ended is not known"
    )
    log.warn(
        "run {run_id} of job {job_id} was left by a runner that died; {what}",
        run_id=run.leftover.run_id,
        job_id=run.job_id,
        what=what,
    )
    return ResultMessage(
        run_id=run.leftover.run_id,
        job_id=run.job_id,
        report=Report.LOST,
        sent_at=now,
        host=host,
        reason=f"its runner died; when a runner started again, {what}",
    )
