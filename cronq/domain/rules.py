"""What a job asks for besides its schedule and its command. Each rule has a default that costs nothing."""

import enum
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from cronq.domain.durations import Duration, parse_span

MOST_RETRIES = 100


class OnLost(enum.StrEnum):
    """What becomes of a slot whose run was lost."""

    #: It stays lost.
    FAIL = "fail"
    #: There is another attempt.
    RERUN = "rerun"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one job."""

    #: None: a run that is lost counts as one that failed, for `retries`.
    on_lost: OnLost | None = None
    retries: int = 0
    retry_delay: timedelta = timedelta(minutes=1)
    retry_backoff: float = 1

    def encode(self) -> str | None:
        """The rules that are not the default, as JSON that is always written the same; None when all are."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        chosen = {name: value for name, (value, default) in values.items() if value != default}
        return json.dumps(chosen, separators=(",", ":"), sort_keys=True, default=_written) if chosen else None


#: How what a document says becomes a value of `Rules`; its keys are those of the document.
READERS: Mapping[str, Callable[[Any], Any]] = {
    "on_lost": OnLost,
    "retries": int,
    "retry_delay": parse_span,
    "retry_backoff": float,
}


def read_rules(written: Mapping[str, Any]) -> Rules:
    """The rules among the keys of a job, each of which has been found to be right."""
    return Rules(**{name: read(written[name]) for name, read in READERS.items() if name in written})


@functools.lru_cache(maxsize=1000)
def decode_rules(text: str | None) -> Rules:
    """The rules that `Rules.encode` wrote."""
    return read_rules(json.loads(text)) if text else DEFAULT_RULES


def _written(value: object) -> str:
    """A value as a document has it."""
    if isinstance(value, timedelta):
        return str(Duration(0, value))
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    raise TypeError(f"{value!r} is no value of a rule")


DEFAULT_RULES = Rules()
