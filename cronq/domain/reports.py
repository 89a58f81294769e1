"""How a report moves a run, and whether a start is granted.

A report may come twice, late, or before the one that it follows: the outcome is the same.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronq.domain.messages import Grant, Report, ResultMessage
from cronq.domain.runs import ENDED, Status, may_move

REMOVED_REASON = "its job was removed before it started"


@dataclass(frozen=True, slots=True)
class RunState:
    """What the ledger knows of a run, as far as reports change it."""

    run_id: str
    job_id: int
    status: Status
    reason: str | None = None
    #: The request to start that was granted.
    token: str | None = None
    runner: str | None = None
    host: str | None = None
    granted_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    recorded_at: datetime | None = None
    return_code: int | None = None
    run_time: float | None = None


def apply_report(run: RunState, message: ResultMessage, now: datetime, *, job_removed: bool) -> RunState:
    """The run after this report; the same run when the report has nothing new to say."""
    if message.report is Report.STARTING:
        return _start(run, message, now, job_removed=job_removed)
    if message.report is Report.LOST:
        return _end(run, message, Status.LOST, now)
    if message.report is Report.FAILED:
        return _end(run, message, Status.FAILED, now)
    by_return_code = Status.SUCCEEDED if message.return_code == 0 else Status.FAILED
    return _end(run, message, message.outcome or by_return_code, now)


def grant(run: RunState | None, message: ResultMessage) -> Grant:
    """The answer to a request to start, from the run as it is after that request."""
    answer = Grant(message.run_id, message.token or "", granted=False, asked=message.start_time)
    if run is None:
        return replace(answer, reason="the database does not know this run")
    if run.status is Status.RUNNING and run.token == message.token:
        return replace(answer, granted=True)
    return replace(answer, reason=_refusal(run))


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
    report comes first.
    """
    if run.status in {Status.QUEUED, Status.SKIPPED}:
        return summary
    status = _WORDS.get(run.status, Status.FAILED.value)
    if _is_latest(run.started_at or run.ended_at, summary.last_run_start, before.started_at, now):
        last_run_start = run.started_at or summary.last_run_start
        summary = replace(summary, last_run_start=last_run_start, current_status=status)
    if run.status.final and _is_latest(run.ended_at, summary.last_run_stop, before.ended_at, now):
        summary = replace(summary, last_run_stop=run.ended_at, last_run_status=status)
    return summary


#: The words of 0.27 in a job's row; all else is a failure.
_WORDS = {Status.RUNNING: Report.STARTING.value, Status.SUCCEEDED: Status.SUCCEEDED.value}


def _is_latest(moment: datetime | None, latest: datetime | None, own: datetime | None, now: datetime) -> bool:
    """Whether nothing later is known. (What lies in the future comes from a clock that is wrong.)"""
    return moment is not None and (latest is None or moment >= latest or latest > now or latest == own)


def _refusal(run: RunState) -> str:
    if run.status is Status.RUNNING:
        return f"it was started already, on {run.host}"
    return f"it is {run.status} already" + (f": {run.reason}" if run.reason else "")


def _start(run: RunState, message: ResultMessage, now: datetime, *, job_removed: bool) -> RunState:
    if run.status is not Status.QUEUED:
        return _late_start(run, message, now)
    if message.token and job_removed:
        return replace(run, status=Status.SKIPPED, reason=REMOVED_REASON, ended_at=now, recorded_at=now)
    return replace(
        run,
        status=Status.RUNNING,
        token=message.token,
        runner=message.runner,
        host=message.host,
        granted_at=now if message.token else None,
        started_at=message.start_time or message.sent_at,
    )


def _asked_again(run: RunState, message: ResultMessage, now: datetime) -> RunState:
    """The latest request counts: its answer is awaited, and is the one that may have to be taken back."""
    if message.start_time is None or (run.started_at and message.start_time <= run.started_at):
        return run
    return replace(run, granted_at=now, started_at=message.start_time)


def _late_start(run: RunState, message: ResultMessage, now: datetime) -> RunState:
    if message.token and run.status is Status.RUNNING and message.token == run.token:
        return _asked_again(run, message, now)
    # Without a grant the report of the end may be the first to arrive; it could only guess at the start.
    if message.token or run.token or run.status not in ENDED | {Status.LOST}:
        return run
    guessed = run.started_at in {None, _computed_start(run.ended_at, run.run_time)}
    started_at = (message.start_time or message.sent_at) if guessed else run.started_at
    return replace(run, started_at=started_at, runner=run.runner or message.runner)


def _end(run: RunState, message: ResultMessage, status: Status, now: datetime) -> RunState:
    if not may_move(run.status, status):
        return run
    return replace(
        run,
        status=status,
        reason=message.reason,
        runner=message.runner or run.runner,
        host=message.host,
        started_at=message.start_time or run.started_at or _computed_start(message.sent_at, message.run_time),
        ended_at=message.sent_at,
        recorded_at=now,
        return_code=message.return_code,
        run_time=message.run_time,
    )


def _computed_start(ended_at: datetime | None, run_time: float | None) -> datetime | None:
    if ended_at is None or run_time is None or not 0 <= run_time < timedelta.max.total_seconds():
        return None
    try:
        return ended_at - timedelta(seconds=run_time)
    except OverflowError:
        return None
