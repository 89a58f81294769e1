"""What people change, for the record."""

import enum
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from cronq.domain.errors import BadSchedule
from cronq.domain.schedules import Specification

#: Longer texts are not compared line by line, which would take long.
_MOST_LINES = 400
#: So many lines around those that differ are told.
_AROUND = 2
#: What something is before or after a change, key by key.
State = Mapping[str, Any]


class Action(enum.StrEnum):
    """What was done to what."""

    CATEGORY_REPLACED = "category.replaced"
    JOB_ADDED = "job.added"
    JOB_CHANGED = "job.changed"
    JOB_REMOVED = "job.removed"
    #: One run by hand was asked for.
    JOB_RUN = "job.run"
    #: One was called off, or its runner was told to end it.
    RUN_KILLED = "run.killed"
    JOB_PAUSED = "job.paused"
    JOB_RESUMED = "job.resumed"
    #: Its next slot is to be skipped, or not to be skipped after all.
    JOB_SKIPS = "job.skips"
    #: Somebody knows that it fails, or takes that back.
    FAILURE_ACKNOWLEDGED = "failure.acknowledged"
    FAILURE_UNACKNOWLEDGED = "failure.unacknowledged"
    BACKFILL_BEGUN = "backfill.begun"
    BACKFILL_STOPPED = "backfill.stopped"
    RUNNER_DRAINED = "runner.drained"
    USER_ADDED = "user.added"
    USER_CHANGED = "user.changed"
    USER_PASSWORD = "user.password"  # noqa: S105
    USER_LOGGED_OUT = "user.logged_out"
    USER_REMOVED = "user.removed"
    TOKEN_ADDED = "token.added"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that is not what it was; None: it was, or is, not there."""

    key: str
    before: str | None
    after: str | None

    @property
    def lines(self) -> tuple[str, ...]:
        """Of a text of several lines: those that are gone, after a `-`, those that are new, after a `+`, and
        some of those around them, after a blank. Empty when the two texts are best shown as they are.
        """
        old, new = ((text or "").split("\n") for text in (self.before, self.after))
        if self.before is None or self.after is None or not 1 < max(len(old), len(new)) <= _MOST_LINES:
            return ()
        return tuple(_compared(old, new))


def job_title(category: str | None, name: str) -> str:
    """What people call a job."""
    return name if category is None else f"{category}/{name}"


def only_differing(before: State, after: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both states without the keys that are the same in both."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before.get(key) for key in keys}, {key: after.get(key) for key in keys}


def differences(before: State | None, after: State | None) -> tuple[Difference, ...]:
    """What a change has done, key by key; of a job, in the keys of a document."""
    old, new = _plain(before or {}), _plain(after or {})
    found = (Difference(key, _text(old.get(key)), _text(new.get(key))) for key in {**old, **new})
    return tuple(each for each in found if each.before != each.after)


def _plain(state: State) -> dict[str, Any]:
    """With the keys of rules and variables side by side with all others, and what is stored as a schedule as
    a document says it.
    """
    found: dict[str, Any] = {}
    for key, value in state.items():
        if key == "rules" and isinstance(value, dict):
            found |= _plain(value)
        elif key == "environment" and isinstance(value, dict):
            found |= {f"{key}.{name}": text for name, text in value.items()}
        elif key == "schedule" and isinstance(value, str):
            found |= _schedule(value)
        else:
            found[key] = value
    return found


def _schedule(text: str) -> dict[str, Any]:
    try:
        return Specification.decode(text).as_document()
    except BadSchedule:
        return {"schedule": text}


def _compared(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_AROUND):
        if group[0][1] > 0:
            yield " …"
        for kind, first, last, new_first, new_last in group:
            if kind == "equal":
                yield from (f" {line}" for line in old[first:last])
            else:
                yield from (f"-{line}" for line in old[first:last])
                yield from (f"+{line}" for line in new[new_first:new_last])


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)
