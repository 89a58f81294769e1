"""How a report moves a run, and whether a start is granted.

A report may come twice, late, or before the one that it follows: the outcome is the same.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cronq.domain.grants import Grant
from cronq.domain.messages import Report, ResultMessage
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
    #: There is another attempt after this one; so it keeps its status, whatever is heard of it.
    superseded: bool = False
    #: Given up while its command may still be running.
    abandoned: bool = False
    #: None for a run by hand.
    slot: datetime | None = None
    attempt: int = 1
    #: A `Cause`, when its job's schedule did not ask for it.
    cause: str | None = None
    queued_at: datetime | None = None


def apply_report(run: RunState, message: ResultMessage, now: datetime, *, job_removed: bool) -> RunState:
    """The run after this report; the same run when the report has nothing new to say."""
    if message.report is Report.STARTING:
        return _start(run, message, now, job_removed=job_removed)
    if message.report is Report.RETURNED:
        return _return(run, message)
    if message.report is Report.LOST:
        return _lose(run, message, now)
    if message.report is Report.FAILED:
        return _end(run, message, message.outcome or Status.FAILED, now)
    by_return_code = Status.SUCCEEDED if message.return_code == 0 else Status.FAILED
    return _end(run, message, message.outcome or by_return_code, now)


def grant(run: RunState | None, message: ResultMessage) -> Grant:
    """The answer to a request to start, from the run as it is after that request."""
    if run is None:
        return refuse(message, "the database does not know this run")
    if run.status is Status.RUNNING and run.token == message.token:
        return replace(refuse(message, None), granted=True)
    return refuse(message, _refusal(run))


def refuse(message: ResultMessage, reason: str | None) -> Grant:
    """The answer that the start is not granted."""
    return Grant(message.run_id, message.token or "", granted=False, reason=reason, asked=message.start_time)


def is_of_another_start(run: RunState, message: ResultMessage) -> bool:
    """Whether the message tells the end of a start that was not the one that was granted."""
    ended = message.report in {Report.FINISHED, Report.FAILED}
    return ended and None not in {run.runner, message.runner} and run.runner != message.runner


@dataclass(frozen=True, slots=True)
class Loss:
    """A running run that is given up, as its runner does not have it, or is not heard of any more."""

    run_id: str
    #: Whose start was granted; what another runner has of it meanwhile is not given up.
    runner: str
    reason: str
    #: Whether its command may still be running all the same.
    abandoned: bool


def give_up(run: RunState, loss: Loss, now: datetime) -> RunState:
    """The run after its runner was given up."""
    if run.status is not Status.RUNNING or run.runner != loss.runner:
        return run
    return replace(
        run,
        status=Status.LOST,
        reason=loss.reason,
        abandoned=loss.abandoned,
        ended_at=now,
        recorded_at=now,
    )


def win_back(run: RunState, runner: str, said_at: datetime) -> RunState:
    """The run after its runner, which had been given up, said that it holds it still.

    What was said before it was lost, and is only written down now, does not count: it may have been reported
    lost by the host itself.
    """
    if run.status is not Status.LOST or run.runner != runner or run.superseded:
        return run
    if run.recorded_at is not None and run.recorded_at > said_at:
        return run
    return _found_again(run)


def _found_again(run: RunState) -> RunState:
    return replace(run, status=Status.RUNNING, reason=None, abandoned=False, ended_at=None, recorded_at=None)


def _refusal(run: RunState) -> str:
    if run.status is Status.QUEUED:
        return "its runner had handed it back"
    if run.status is Status.RUNNING:
        return f"it was started already, on {run.host}"
    return f"it is {run.status} already" + (f": {run.reason}" if run.reason else "")


def _start(run: RunState, message: ResultMessage, now: datetime, *, job_removed: bool) -> RunState:
    if run.status is not Status.QUEUED:
        return _late_start(run, message, now)
    if message.token and message.token == run.token:
        return run  # handed back already, by a report that has overtaken this one
    if message.token and job_removed:
        return replace(run, status=Status.SKIPPED, reason=REMOVED_REASON, ended_at=now, recorded_at=now)
    return replace(
        run,
        status=Status.RUNNING,
        reason=None,
        token=message.token,
        runner=message.runner,
        host=message.host,
        granted_at=now if message.token else None,
        started_at=message.start_time or message.sent_at,
    )


def _asked_again(run: RunState, message: ResultMessage, now: datetime) -> RunState:
    """The latest request counts: its answer is awaited, and is the one that may have to be taken back.

    Who asks again has not started it yet. If it has been given up meanwhile, he may do so, or never will.
    """
    if message.start_time is None or (run.started_at and message.start_time <= run.started_at):
        return run
    if run.superseded:
        return replace(run, abandoned=False)
    if run.status not in {Status.RUNNING, Status.LOST}:
        return run
    return replace(_found_again(run), granted_at=now, started_at=message.start_time)


def _late_start(run: RunState, message: ResultMessage, now: datetime) -> RunState:
    if message.token and message.token == run.token:
        return _asked_again(run, message, now)
    # Without a grant the report of the end may be the first to arrive; it could only guess at the start.
    if message.token or run.token or run.status not in ENDED | {Status.LOST}:
        return run
    guessed = run.started_at in {None, _computed_start(run.ended_at, run.run_time)}
    started_at = (message.start_time or message.sent_at) if guessed else run.started_at
    return replace(run, started_at=started_at, runner=run.runner or message.runner)


def take_back(run: RunState, message: ResultMessage) -> RunState:
    """The run after the answer to this request to start could not be delivered."""
    if run.status is not Status.RUNNING or (run.token, run.started_at) != (message.token, message.start_time):
        return run
    return replace(_queued_again(run), token=None)


def _return(run: RunState, message: ResultMessage) -> RunState:
    if run.status is Status.QUEUED:
        return replace(run, token=message.token)
    if run.token != message.token:
        return run
    if run.status is Status.LOST:
        return replace(run, abandoned=False)
    return _queued_again(run) if run.status is Status.RUNNING else run


def _queued_again(run: RunState) -> RunState:
    return replace(run, status=Status.QUEUED, runner=None, host=None, granted_at=None, started_at=None)


def _lose(run: RunState, message: ResultMessage, now: datetime) -> RunState:
    if run.status is Status.LOST and run.abandoned:
        # Its host is back, and has seen to it that nothing of it runs any more.
        return replace(run, abandoned=False, reason=message.reason, host=message.host, recorded_at=now)
    # That it is lost is no news of one that is, and says nothing of whether it had been started.
    return run if run.status is Status.LOST else _end(run, message, Status.LOST, now)


def _turned_up(run: RunState, message: ResultMessage, now: datetime) -> RunState:
    """Too late to change the status; but what became of it is kept."""
    told = message.sent_at, message.return_code, message.run_time
    if (run.ended_at, run.return_code, run.run_time) == told:
        return run
    how = "was not started" if message.return_code is None else f"ended with exit code {message.return_code}"
    return replace(
        run,
        reason=f"{run.reason}; after another attempt had been made, its runner reported that it {how}",
        abandoned=False,
        ended_at=message.sent_at,
        recorded_at=now,
        return_code=message.return_code,
        run_time=message.run_time,
    )


def _end(run: RunState, message: ResultMessage, status: Status, now: datetime) -> RunState:
    if run.superseded and run.status is Status.LOST:
        return _turned_up(run, message, now)
    if not may_move(run.status, status):
        return run
    return replace(
        run,
        status=status,
        reason=message.reason,
        abandoned=False,
        runner=message.runner or run.runner,
        host=message.host,
        started_at=message.start_time or run.started_at or _computed_start(message.sent_at, message.run_time),
        ended_at=message.sent_at,
        recorded_at=now,
        return_code=message.return_code,
        run_time=None if status is Status.LOST else message.run_time,
    )


def _computed_start(ended_at: datetime | None, run_time: float | None) -> datetime | None:
    if ended_at is None or run_time is None or not 0 <= run_time < timedelta.max.total_seconds():
        return None
    try:
        return ended_at - timedelta(seconds=run_time)
    except OverflowError:
        return None
