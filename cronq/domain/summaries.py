"""What a job's row says of its runs, as 0.27 kept it."""

from dataclasses import dataclass, replace
from datetime import datetime

from cronq.domain.kills import was_wanted
from cronq.domain.messages import Report
from cronq.domain.reports import RunState
from cronq.domain.runs import Status


@dataclass(frozen=True, slots=True)
class JobSummary:
    """What a job's row says of its latest run."""

    last_run_start: datetime | None = None
    last_run_stop: datetime | None = None
    #: succeeded or failed
    last_run_status: str | None = None
    #: starting, succeeded or failed
    current_status: str | None = None


def summarize(summary: JobSummary, before: RunState, run: RunState, now: datetime) -> JobSummary:
    """The summary after a report moved a run of the job from `before` to `run`.

    The run that started last says what the job does, and the one that ended last how it went, whichever
    report comes first. What was killed because somebody wanted it says nothing of how the job goes.
    """
    if run.status in {Status.QUEUED, Status.SKIPPED}:
        return summary
    status = _WORDS.get(run.status, Status.FAILED.value)
    if _is_latest(run.started_at or run.ended_at, summary.last_run_start, before.started_at, now):
        last_run_start = run.started_at or summary.last_run_start
        summary = replace(summary, last_run_start=last_run_start, current_status=status)
    tells = run.status.final and not was_wanted(run.status, run.reason)
    if tells and _is_latest(run.ended_at, summary.last_run_stop, before.ended_at, now):
        summary = replace(summary, last_run_stop=run.ended_at, last_run_status=status)
    return summary


#: The words of 0.27 in a job's row; all else is a failure.
_WORDS = {Status.RUNNING: Report.STARTING.value, Status.SUCCEEDED: Status.SUCCEEDED.value}


def _is_latest(moment: datetime | None, latest: datetime | None, own: datetime | None, now: datetime) -> bool:
    """Whether nothing later is known. (What lies in the future comes from a clock that is wrong.)"""
    return moment is not None and (latest is None or moment >= latest or latest > now or latest == own)
