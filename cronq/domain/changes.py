"""What people change, for the record."""

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


def job_title(category: str | None, name: str) -> str:
    """What people call a job."""
    return name if category is None else f"{category}/{name}"


def only_differing(before: State, after: State) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both states without the keys that are the same in both."""
    keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before.get(key) for key in keys}, {key: after.get(key) for key in keys}


def differences(before: State | None, after: State | None) -> tuple[Difference, ...]:
    """What a change has done, key by key."""
    old, new = before or {}, after or {}
    found = (Difference(key, _text(old.get(key)), _text(new.get(key))) for key in {**old, **new})
    return tuple(each for each in found if each.before != each.after)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)
