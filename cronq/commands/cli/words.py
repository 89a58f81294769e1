"""What the commands say of jobs and runs, in the words of a person."""

from collections.abc import Mapping
from datetime import datetime

import click

from cronq.commands.cli.answers import Job, Run
from cronq.commands.cli.terminal import harmless
from cronq.domain.errors import BadSchedule
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.runs import OPEN, Status
from cronq.domain.schedules import Specification
from cronq.web.words.times import duration, exact

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_OPEN = {status.value for status in OPEN}
_RUNNER_COLOURS: Mapping[str, str] = {
    RunnerStatus.UP: "green",
    RunnerStatus.DRAINING: "cyan",
    RunnerStatus.SILENT: "red",
}


def ago(moment: datetime | None, now: datetime) -> str:
    """A time as seen from now, in few letters: `20 s ago`, `in 3 min`; nothing for none."""
    if moment is None:
        return ""
    seconds = int((moment - now).total_seconds())
    size, unit = next((each for each in _UNITS if abs(seconds) >= each[0]), _UNITS[-1])
    if seconds == 0:
        return "now"
    return f"in {seconds // size} {unit}" if seconds > 0 else f"{-seconds // size} {unit} ago"


def at(moment: datetime | None, now: datetime) -> str:
    """A time to the second, and as seen from now."""
    return "never" if moment is None else f"{exact(moment)} ({ago(moment, now)})"


def schedule_phrase(job: Job) -> str:
    """The schedule as a phrase, as far as it can be understood here."""
    if job.schedule_in_words is not None:
        return job.schedule_in_words
    if not job.when:
        return f"every {duration(job.interval)}" if job.interval else ""
    try:
        return Specification.of_job("", "", job.when).build().in_words()
    except (BadSchedule, ValueError, TypeError, AttributeError):
        return str(job.when.get("schedule"))  # of a newer server


def status_word(status: str) -> str:
    """A status as a person writes it."""
    return status.replace("_", " ")


def painted(word: str) -> str:
    """A status in its colour; the word says the same."""
    status = word.strip().replace(" ", "_")
    if status == Status.SUCCEEDED:
        return click.style(word, fg="green")
    if status in _OPEN:
        return click.style(word, fg="cyan")
    return click.style(word, fg="red") if status in set(Status) else word


def painted_runner(word: str) -> str:
    """The status of a runner in its colour; the word says the same."""
    colour = _RUNNER_COLOURS.get(word.strip())
    return word if colour is None else click.style(word, fg=colour)


def outcome(run: Run) -> str:
    """How a run ended: `succeeded (exit 0, took 2.4 s, on worker-1)`."""
    details = [
        "" if run.return_code is None else f"exit {run.return_code}",
        f"took {duration(run.duration)}" if run.duration is not None else "",
        f"on {run.host}" if run.host else "",
    ]
    known = ", ".join(filter(None, details))
    reason = f": {run.reason}" if run.reason else ""
    return harmless(f"{status_word(run.status)}{f' ({known})' if known else ''}{reason}")
