"""How late a run may start at all."""

from datetime import datetime, timedelta

from cronq.domain.durations import Duration
from cronq.domain.rules import Rules
from cronq.domain.runs import Cause


def due_at(
    slot: datetime | None, attempt: int, cause: str | None, queued_at: datetime | None
) -> datetime | None:
    """From when the deadline of a run counts: its slot or, after other jobs, when these had succeeded.

    None: it has no deadline, as nobody has who is asked for, and no later attempt.
    """
    if slot is None or attempt > 1 or cause == Cause.BACKFILL:
        return None
    return queued_at if cause == Cause.AFTER else slot


def why_too_late(rules: Rules, due: datetime | None, cause: str | None, now: datetime) -> str | None:
    """The reason of a run that has not started and is past its deadline; None: it may still start."""
    if rules.deadline is None or due is None or now - due <= rules.deadline:
        return None
    return too_late(rules.deadline, cause)


def too_late(deadline: timedelta, cause: str | None = None) -> str:
    """The reason of what is past its deadline."""
    since = "those that it runs after had succeeded" if cause == Cause.AFTER else "it was due"
    return f"it had not started {Duration(0, deadline).in_words()} after {since}, which is its deadline"
