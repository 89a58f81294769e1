"""Rows of the ledger, as audits see them, and what is wrong with one whatever else its job did."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronq.domain.audit_totals import Totals
from cronq.domain.findings import Finding, JobName, Kind, at
from cronq.domain.runs import Cause, Status

QUEUED_TOO_LONG = timedelta(hours=1)
#: Of a runner that reports itself: its runs should have been lost long before.
SILENT_TOO_LONG = timedelta(hours=1)
#: Of others, such as those of 0.27.
RUNNING_TOO_LONG = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AuditedRun:
    """A row of the ledger, as far as it is audited."""

    run_id: str
    job_id: int
    status: Status
    #: Why it was made for that slot when the schedule did not ask for it; None: it did, or it is by hand.
    cause: Cause | None = None
    attempt: int = 1
    #: None for a run by hand.
    slot: datetime | None = None
    #: Of a row that stands for several slots: the last of them, and how many they are.
    last_slot: datetime | None = None
    slots: int = 1
    #: Whether a start was granted, or reported.
    started: bool = False
    #: Since when it is queued, or since its start was granted; None when it has ended, or that is not known.
    open_since: datetime | None = None
    #: Of a second runner that has reported a start of it.
    second_host: str | None = None
    #: Whether another attempt was made since this one was lost.
    superseded: bool = False
    #: When its runner told last that it is alive; None: it has not started, or its runner tells nothing.
    runner_heard_at: datetime | None = None


def faults_of_run(job: JobName, run: AuditedRun, now: datetime) -> Iterator[Finding]:
    """What is wrong with a run, whatever else its job did."""
    if too_long := open_too_long(run, now):
        yield Finding(Kind.WITHOUT_END, job, too_long, run.slot, run_id=run.run_id)
    if run.second_host is not None:
        sentence = f"It was also started on {run.second_host}, by a runner to which that was not granted."
        yield Finding(Kind.STARTED_TWICE, job, sentence, run.slot, run_id=run.run_id)


def count_run(totals: Totals, run: AuditedRun, previous: AuditedRun | None = None) -> None:
    """Count a run that no schedule asked for; `previous` is the run before it for the same slot, if any."""
    again = run.attempt > 1 if previous is None else previous.superseded or run.cause is None
    if again:
        totals.further_attempts += 1
    elif run.cause is Cause.AFTER:
        totals.after_others += 1
    elif run.cause is Cause.BACKFILL:
        totals.backfilled += 1
    else:
        totals.by_hand += 1


def open_too_long(run: AuditedRun, now: datetime) -> str | None:
    """A sentence when it seems that a run never ends, else None."""
    since, heard_at = run.open_since, run.runner_heard_at
    if since is None:
        return None
    if run.status is Status.QUEUED:
        return (
            f"It has been queued since {at(since)}, and no runner has started it."
            if now - since > QUEUED_TOO_LONG
            else None
        )
    if heard_at is not None and now - heard_at > SILENT_TOO_LONG:
        return f"It has been running since {at(since)}, and its runner was last heard of at {at(heard_at)}."
    if heard_at is None and now - since > RUNNING_TOO_LONG:
        return f"It has been running since {at(since)}, and no end of it is known."
    return None
