"""How a report moves a run, and whether a start is granted.

A report may come twice, late, or before the one that it follows: the outcome is the same.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronq.domain.messages import Grant, Report, ResultMessage
from cronq.domain.runs import Status, may_move

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
    token = message.token or ""
    if run is None:
        return Grant(message.run_id, token, granted=False, reason="the database does not know this run")
    if run.status is Status.RUNNING and run.token == message.token:
        return Grant(run.run_id, token, granted=True)
    return Grant(run.run_id, token, granted=False, reason=_refusal(run))


def _refusal(run: RunState) -> str:
    if run.status is Status.RUNNING:
        return f"it was started already, on {run.host}"
    return f"it is {run.status} already" + (f": {run.reason}" if run.reason else "")


def _start(run: RunState, message: ResultMessage, now: datetime, *, job_removed: bool) -> RunState:
    if run.status is not Status.QUEUED:
        return _late_start(run, message)
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


def _late_start(run: RunState, message: ResultMessage) -> RunState:
    # Without a grant the report of the end may be the first to arrive; it could only guess at the start.
    if message.token or run.token or not run.status.final or message.start_time is None:
        return run
    return replace(run, started_at=message.start_time)


def _end(run: RunState, message: ResultMessage, status: Status, now: datetime) -> RunState:
    if not may_move(run.status, status):
        return run
    return replace(
        run,
        status=status,
        reason=message.reason,
        host=message.host,
        started_at=message.start_time or run.started_at or _computed_start(message),
        ended_at=message.sent_at,
        recorded_at=now,
        return_code=message.return_code,
        run_time=message.run_time,
    )


def _computed_start(message: ResultMessage) -> datetime | None:
    if message.run_time is None or not 0 <= message.run_time < timedelta.max.total_seconds():
        return None
    try:
        return message.sent_at - timedelta(seconds=message.run_time)
    except OverflowError:
        return None
