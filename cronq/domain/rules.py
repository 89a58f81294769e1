"""What a job asks for besides its schedule and its command. Each rule has a default that costs nothing.

Here a rule has its value; in documents, in the database, in messages and in the API it is written in the same
JSON everywhere, with the rules left out that are the default.
"""

import enum
import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from cronq.domain.durations import Duration, parse_span
from cronq.domain.instants import parse_instant
from cronq.domain.outputs import USUAL

RULES_LENGTH = 65_535  # bytes of UTF-8 of what `Rules.encode` writes: what a TEXT column of MySQL holds


class OnLost(enum.StrEnum):
    """What becomes of a slot whose run was lost."""

    #: It stays lost.
    FAIL = "fail"
    #: There is another attempt.
    RERUN = "rerun"


class Overlap(enum.StrEnum):
    """What becomes of a run that is due while another one of its job has not ended."""

    #: It runs beside it.
    ALLOW = "allow"
    #: It does not run.
    SKIP = "skip"
    #: It waits, unless one waits already.
    QUEUE = "queue"
    #: The other one is killed.
    REPLACE = "replace"


class CatchUp(enum.StrEnum):
    """What becomes of slots for which no injector was there."""

    #: The latest runs.
    ONE = "one"
    #: None runs.
    NONE = "none"
    #: All run, up to a limit.
    ALL = "all"


class AfterSame(enum.StrEnum):
    """For what all jobs have to have succeeded, before one runs after them."""

    SLOT = "slot"
    #: The same day of UTC.
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one job."""

    #: None: a run that is lost counts as one that failed, for `retries`.
    on_lost: OnLost | None = None
    retries: int = 0
    retry_delay: timedelta = timedelta(minutes=1)
    retry_backoff: float = 1
    overlap: Overlap = Overlap.ALLOW
    #: How many runs may be running at once, where they may overlap; None: any number.
    max_running: int | None = None
    enabled: bool = True
    paused_until: datetime | None = None
    pause_reason: str = ""
    catch_up: CatchUp = CatchUp.ONE
    #: With `all`: so many of the latest slots run.
    catch_up_limit: int = 100
    #: A slot that has not started so long after it was due does not run.
    deadline: timedelta | None = None
    #: From 0 to 9; what has more comes first.
    priority: int = 0
    #: The names of jobs of its category after which it runs.
    after: tuple[str, ...] = ()
    after_same: AfterSame = AfterSame.SLOT
    #: How long the command may run; None: as long as it likes.
    timeout: timedelta | None = None
    #: From SIGTERM to SIGKILL, when the command is ended.
    kill_grace: timedelta = timedelta(seconds=10)
    #: The exit codes that are success, in ascending order.
    success_codes: tuple[int, ...] = (0,)
    #: Bytes of the output that are kept for the pages.
    output_limit: int = USUAL
    #: Added to the environment of the command.
    environment: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: Where it begins, an absolute path; None: where its runner is.
    directory: str | None = None
    #: A user of its host, or `user:group`; None: that of its runner.
    user: str | None = None
    #: Is given `-c` and the command.
    shell: str = "/bin/sh"
    #: Octal digits; None: that of its runner.
    umask: str | None = None
    #: For people: what it is for, whose it is, and what to do when it fails.
    description: str = ""
    owner: str = ""
    runbook: str = ""
    tags: tuple[str, ...] = ()

    def encode(self) -> str | None:
        """The rules that are not the default, as JSON that is always written the same; None when all are."""
        chosen = self.chosen()
        return _written(chosen) if chosen else None

    def chosen(self) -> dict[str, Any]:
        """The rules that are not the default, by name."""
        if self is DEFAULT_RULES or self == DEFAULT_RULES:
            return {}
        values = ((each.name, getattr(self, each.name)) for each in fields(self))
        return {name: value for name, value in values if value != getattr(DEFAULT_RULES, name)}


def read_rules(values: Mapping[str, Any]) -> Rules:
    """The rules from a document that was accepted; keys of other things are passed over."""
    chosen = {name: read(values[name]) for name, read in READERS.items() if name in values}
    return Rules(**chosen) if chosen else DEFAULT_RULES


@functools.lru_cache(maxsize=1000)
def decode_rules(text: str | None) -> Rules:
    """The rules that `Rules.encode` wrote."""
    return read_rules(json.loads(text)) if text else DEFAULT_RULES


def rules_as_json(text: str | None) -> dict[str, Any]:
    """What `Rules.encode` wrote, as a document says it."""
    found: dict[str, Any] = json.loads(text, parse_float=_number) if text else {}
    return found


def rules_in_words(rules: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rules by name, each in one text, from what a document says."""
    return [
        (name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for name, value in rules.items()
    ]


def _written(values: Mapping[str, Any]) -> str:
    return json.dumps(values, default=_as_json, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@functools.lru_cache(maxsize=1000)
def _as_json(value: timedelta | datetime) -> str:
    return str(Duration(0, value)) if isinstance(value, timedelta) else f"{value.isoformat()}Z"


def _number(text: str) -> float:
    """A number as people write it: a whole one without a fraction."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _moment(text: str) -> datetime:
    return parse_instant(text).moment


def _codes(values: Iterable[float]) -> tuple[int, ...]:
    return tuple(sorted({int(value) for value in values}))


#: How each rule is read from the JSON of a document.
READERS: Mapping[str, Callable[[Any], Any]] = {
    "on_lost": OnLost,
    "retries": int,
    "retry_delay": parse_span,
    "retry_backoff": float,
    "overlap": Overlap,
    "max_running": int,
    "enabled": bool,
    "paused_until": _moment,
    "pause_reason": str,
    "catch_up": CatchUp,
    "catch_up_limit": int,
    "deadline": parse_span,
    "priority": int,
    "after": tuple,
    "after_same": AfterSame,
    "timeout": parse_span,
    "kill_grace": parse_span,
    "success_codes": _codes,
    "output_limit": int,
    "environment": dict,
    "directory": str,
    "user": str,
    "shell": str,
    "umask": str,
    "description": str,
    "owner": str,
    "runbook": str,
    "tags": tuple,
}
DEFAULT_RULES = Rules()
