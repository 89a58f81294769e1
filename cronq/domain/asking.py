"""What somebody says who asks for something by hand: who it is, why, and what else the request takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cronq.domain.document_parts import Key, faults_at
from cronq.domain.document_slips import closest
from cronq.domain.document_values import Text
from cronq.domain.errors import BadDocument, Fault
from cronq.domain.json_places import member

WHO_LENGTH, WHY_LENGTH = 100, 500  # characters

ASKING_KEYS: Mapping[str, Key] = {
    "by": Key(Text("Who asks.", longest=WHO_LENGTH)),
    "reason": Key(Text("Why.", longest=WHY_LENGTH)),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, and why, as far as they say it."""

    by: str | None = None
    reason: str | None = None

    @property
    def why(self) -> str:
        """The reason of what is asked for, with who asks."""
        if self.by is None:
            return self.reason or ""
        return f"{self.reason} (by {self.by})" if self.reason else f"by {self.by}"


def read_asking(data: Mapping[str, Any], keys: Mapping[str, Key] = ASKING_KEYS) -> Asking:
    """Who asks, and why; raises `BadDocument` with all that is wrong with any of the keys."""
    faults = [Fault(key, "missing") for key in keys if keys[key].required and key not in data]
    faults += [fault for key, value in data.items() for fault in _faults(key, value, keys)]
    if faults:
        raise BadDocument(faults)
    return Asking(*(data.get(key, "").strip() or None for key in ASKING_KEYS))


def _faults(key: str, value: object, keys: Mapping[str, Key]) -> list[Fault]:
    if key in keys:
        return list(faults_at(member("", key), keys[key].rule, value))
    # A document may hold notes; what is asked for once and misspelled would be done without it.
    meant = closest(key, tuple(keys))
    return [Fault(member("", key), f"unknown key{f', did you mean {meant}?' if meant else ''}")]
