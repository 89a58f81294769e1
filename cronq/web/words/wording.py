"""What became of a run, and what to do about it, in sentences."""

import re
import shlex
import signal
from collections.abc import Mapping
from dataclasses import dataclass

from cronq.database.reading.changes import ChangeRecord
from cronq.database.reading.runners import RunnerRecord
from cronq.database.reading.runs import RunRecord
from cronq.domain.access import Via
from cronq.domain.changes import Action
from cronq.domain.findings import Kind
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.jobs import DEFAULT_ROUTING_KEY
from cronq.domain.runs import Status

_ADDRESS = re.compile(r"https?://[^\s/@\\]+(?:/\S*)?")
_SIGNALLED = 128
_MEANINGS = {126: "not executable", 127: "command not found"}

#: What is certain of each status, and the reason when the run itself has none.
_SENTENCES = {
    Status.QUEUED: ("It waits for a runner.", ""),
    Status.RUNNING: ("It is running.", ""),
    Status.SUCCEEDED: ("It succeeded.", ""),
    Status.FAILED: ("It failed.", ""),
    Status.TIMED_OUT: ("It was stopped.", "It ran longer than it may."),
    Status.KILLED: ("It was stopped.", ""),
    Status.LOST: ("Nobody knows how it ended.", "Its runner is gone."),
    Status.SKIPPED: ("It did not run.", "A rule of its job forbade it."),
    Status.MISSED: ("It did not run.", "It fell into an outage."),
    Status.UNROUTABLE: ("It did not run.", "No queue is bound to its routing key."),
}

_RUNNERS = {
    RunnerStatus.UP: "It takes work. Drained, it takes nothing new, finishes what it has in hand, and ends.",
    RunnerStatus.DRAINING: "It takes nothing new, and ends when what it has in hand is over.",
    RunnerStatus.SILENT: (
        "Nothing has been heard of it for too long. What it ran is lost, until it is back and says otherwise."
    ),
    RunnerStatus.STOPPED: "It has ended. Started again, it is a runner with a new id.",
}
#: The keys of a document that limit when a job runs.
_LIMITS = {"timezone": "Time zone", "except": "Not on", "between": "Only", "jitter": "Jitter up to"}

_KINDS = {
    Kind.MISSING: "missing",
    Kind.UNCLAIMED: "unclaimed",
    Kind.UNKNOWN_SLOT: "no slot",
    Kind.WRONG_RANGE: "wrong count",
    Kind.DOUBLED: "two rows",
    Kind.STARTED_TWICE: "started twice",
    Kind.WITHOUT_END: "no end",
    Kind.UNREADABLE: "unreadable",
}


_ACTIONS: Mapping[str, str] = {
    Action.CATEGORY_REPLACED: "put in place the category",
    Action.JOB_ADDED: "added the job",
    Action.JOB_CHANGED: "changed the job",
    Action.JOB_REMOVED: "removed the job",
    Action.JOB_RUN: "asked for a run of",
    Action.RUN_KILLED: "killed a run of",
    Action.JOB_PAUSED: "paused",
    Action.JOB_RESUMED: "resumed",
    Action.JOB_SKIPS: "changed which slot is skipped of",
    Action.FAILURE_ACKNOWLEDGED: "acknowledged the failures of",
    Action.FAILURE_UNACKNOWLEDGED: "took back that somebody knows of the failures of",
    Action.BACKFILL_BEGUN: "began a backfill of",
    Action.BACKFILL_STOPPED: "called off a backfill of",
    Action.RUNNER_DRAINED: "told to drain the runner",
    Action.USER_ADDED: "added the user",
    Action.USER_CHANGED: "changed the user",
    Action.USER_PASSWORD: "changed the password of",
    Action.USER_LOGGED_OUT: "logged out everywhere",
    Action.USER_REMOVED: "removed the user",
    Action.TOKEN_ADDED: "made the token",
    Action.TOKEN_REVOKED: "revoked the token",
}

_VIAS = {
    Via.SESSION: "logged in",
    Via.PASSWORD: "with a password",
    Via.TOKEN: "with a token",
    Via.PROXY: "let in by a proxy",
    Via.OPEN: "without a login",
    Via.SHELL: "on the database itself",
}


@dataclass(frozen=True, slots=True)
class Advice:
    """What somebody can do about a run."""

    text: str
    #: To be typed into a shell.
    command: str | None = None


def status_word(status: Status | RunnerStatus | None) -> str:
    """What stands beside the mark of a status; None stands for a job that never ran."""
    return "never ran" if status is None else status.value.replace("_", " ")


def runner_in_words(runner: RunnerRecord) -> str:
    """One or two sentences: how it is with a runner."""
    if runner.told_to_drain:
        return "It is told to drain; as soon as it hears of that, it takes nothing new."
    if runner.status is RunnerStatus.DRAINING and not runner.busy:
        return "It takes nothing new, and has nothing in hand any more."
    return _RUNNERS[runner.status]


def kind_word(kind: Kind) -> str:
    """What stands beside the mark of a finding."""
    return _KINDS[kind]


def action_word(action: str) -> str:
    """What was done, as it stands between who did it and what it was done to."""
    return _ACTIONS.get(action, action)


def job_action_word(action: str) -> str:
    """The same where it is plain that a job is meant, and which."""
    return action_word(action).replace("the job", "it").removesuffix(" of")


def from_where(change: ChangeRecord) -> str:
    """How somebody has shown who they are, and where they were."""
    how = _VIAS[change.via]
    return f"{how}, from {change.address}" if change.address else how


def code_in_words(code: int) -> str:
    """A return code: `exit 3`, `killed by SIGTERM (143)`."""
    # A shell says 128 + signal; 0.27 passed on what Python says, which is -signal.
    number = -code if code < 0 else code - _SIGNALLED
    if number in set(signal.Signals):
        return f"killed by {signal.Signals(number).name} ({code})"
    return f"exit {code}" + (f" ({_MEANINGS[code]})" if code in _MEANINGS else "")


def what_happened(run: RunRecord) -> str:
    """One or two sentences: what became of the run, and why."""
    reason = run.reason or _SENTENCES[run.status][1]
    return f"{_certain(run)} {sentence(reason)}".strip()


def sentence(text: str) -> str:
    """A text with a capital letter and a full stop, as one of several sentences."""
    text = text.strip()
    end = "" if text.endswith((".", "!", "?")) else "."
    return text[:1].upper() + text[1:] + end if text else ""


def is_address(text: str) -> bool:
    """Whether a text is an address that is safe to click."""
    return _ADDRESS.fullmatch(text) is not None


def advice(run: RunRecord, routing_key: str) -> Advice | None:
    """What to do about a run that is stuck or came to no good end."""
    start_runner = "cronq-runner"
    if routing_key != DEFAULT_ROUTING_KEY:
        start_runner += f" --queue {shlex.quote(routing_key)}"
    match run.status:
        case Status.UNROUTABLE:
            return Advice("Start a runner that serves this routing key:", start_runner)
        case Status.QUEUED if run.publications > 1:
            return Advice("No runner has taken it yet. Look whether one is up, or start one:", start_runner)
        case Status.MISSED:
            return Advice("Slots are missed while no injector is up. With two of them, one may fail.")
        case Status.LOST if run.host and not run.inherited:
            return Advice(f"{where_lost_output_is(run.host)} The log of the runner itself may say more.")
    return None


def why_no_output(run: RunRecord) -> str:
    """Why nothing, or no more, of its output is to be seen; empty when there is no reason but the command."""
    match run.status:
        case Status.QUEUED:
            return "It has not started yet."
        case Status.LOST:
            return f"{_certain(run)} {where_lost_output_is(run.host)}"
        case Status.SKIPPED if run.slots == 1:
            return f"It was skipped: {run.reason or 'a rule of its job forbade it'}"
        case Status.SKIPPED | Status.MISSED | Status.UNROUTABLE:
            return what_happened(run)
        case Status.FAILED | Status.KILLED if run.return_code is None and run.started_at is None:
            return what_happened(run)
    return ""


def where_lost_output_is(host: str | None) -> str:
    """Where somebody may find what a lost run wrote."""
    where = f" on {host}" if host else ""
    return f"What it wrote is not here, but in the log of its job{where}, in the log folder of its runner."


def _certain(run: RunRecord) -> str:
    if run.slots > 1:
        return f"{run.slots:,} slots did not run."
    if run.status is Status.KILLED and run.return_code is None:
        return "It did not start."
    if run.status is Status.QUEUED and run.reason:
        return "It has not started yet."
    if run.status is not Status.FAILED:
        return _SENTENCES[run.status][0]
    if run.return_code is None:
        return "Its command could not be run."
    return f"It failed: {code_in_words(run.return_code)}."


def limit_word(key: str) -> str:
    """A key of a document that limits when a job runs, as a title."""
    return _LIMITS.get(key, key)


def limit_in_words(value: str | list[str] | dict[str, str]) -> str:
    """Its value: a text, a list of dates, or the first and the last of them."""
    if isinstance(value, dict):
        words = {"start": "from", "end": "until"}
        return " ".join(f"{words[key]} {each}" for key, each in value.items())
    return ", ".join(value) if isinstance(value, list) else value
