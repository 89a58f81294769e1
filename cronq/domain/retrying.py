"""Whether a slot is tried again after a run came to no good end, when, and in which words."""

from datetime import datetime, timedelta

from cronq.domain.durations import LONGEST_RETRY_DELAY
from cronq.domain.reports import RunState
from cronq.domain.rules import OnLost, Rules
from cronq.domain.runs import Status

#: After these a run may be tried again.
RETRIED = frozenset({Status.FAILED, Status.TIMED_OUT, Status.LOST})
#: So many attempts of one slot may be lost; a command that takes its runners down must not go on for ever.
MOST_LOST = 5
#: The delay before the second rerun of what was lost; the first is made at once.
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


def attempts_allowed(rules: Rules, status: Status) -> int:
    """How many attempts of one slot there may be, when the latest of them came to that end."""
    if status not in RETRIED or (status is Status.LOST and rules.on_lost is OnLost.FAIL):
        return 1
    if status is Status.LOST and rules.on_lost is OnLost.RERUN:
        return max(MOST_LOST, 1 + rules.retries)
    return 1 + rules.retries


def delay_after(rules: Rules, status: Status, attempt: int) -> timedelta:
    """How long to wait for the next attempt after this one came to that end."""
    if status is Status.LOST and rules.on_lost is OnLost.RERUN:
        doubled = _FIRST_PAUSE * 2 ** min(attempt - 2, 10) if attempt > 1 else timedelta(0)
        return min(doubled, _LONGEST_PAUSE)
    # In seconds and bounded first: a day is soon passed by what grows like this.
    seconds = rules.retry_delay.total_seconds() * min(rules.retry_backoff ** (attempt - 1), 1e9)
    return timedelta(seconds=min(seconds, LONGEST_RETRY_DELAY.total_seconds()))


def why_again(run: RunState, allowed: int, at: datetime | None) -> str:
    """Why there is another attempt, and what it waits for; `at` is when it may start, None: at once."""
    waits = f"it waits until {at:%Y-%m-%d %H:%M:%S} UTC" if at else "it may start at once"
    before = f"attempt {run.attempt} {_end_in_words(run)}"
    return f"attempt {run.attempt + 1} of at most {allowed}: {waits}, since {before}"


def no_more(run: RunState, why: str | None = None) -> str:
    """The reason of a run that was the last attempt; `why` it was, if there might have been another."""
    last = f"this was attempt {run.attempt}, and there is no more" + (f", as {why}" if why else "")
    return f"{run.reason}; {last}" if run.reason else last


def _end_in_words(run: RunState) -> str:
    if run.status is Status.TIMED_OUT:
        return "ran longer than its timeout"
    if run.status is Status.LOST:
        return "was lost"
    if run.return_code is None:
        return "could not be started"
    return f"failed with exit code {run.return_code}"
