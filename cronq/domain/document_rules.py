"""What each key of a category document may hold: one table for the parser and for the JSON Schema."""

import enum
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cronq.domain.errors import BadSchedule
from cronq.domain.jobs import COMMAND_LENGTH, DEFAULT_ROUTING_KEY, NAME_LENGTH
from cronq.domain.rules import OnLost
from cronq.domain.schedules import parse_schedule

ROUTING_KEY_LENGTH = 255  # bytes of UTF-8: a short string of AMQP 0-9-1, section 4.2.5.3
#: The format in the JSON Schema of what `parse_schedule` accepts.
SCHEDULE_FORMAT = "cronq-schedule"
#: No command or database holds a NUL, and half of a surrogate pair is not Unicode, but JSON can write both.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_STORABLE_PATTERN = r"^[^\u0000\ud800-\udfff]*$"
_SHOWN = 60  # characters

Schema = dict[str, Any]


class Rule(Protocol):
    """What one value may be."""

    def faults(self, value: object) -> Iterator[str]:
        """A sentence for each thing that is wrong with the value."""

    def schema(self) -> Schema:
        """The same, as far as JSON Schema can say it."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text that can be stored; the limits are inclusive."""

    description: str
    shortest: int = 0  # characters
    longest: int | None = None  # characters
    longest_encoded: int | None = None  # bytes of UTF-8

    def faults(self, value: object) -> Iterator[str]:
        """A sentence for each thing that is wrong with the value."""
        if not isinstance(value, str):
            yield f"expected a text, found {shown(value)}"
            return
        if len(value) < self.shortest:
            yield "must not be empty"
        if self.longest is not None and len(value) > self.longest:
            yield f"has {len(value)} characters, at most {self.longest} are allowed"
        if self.longest_encoded is not None and (size := _encoded_size(value)) > self.longest_encoded:
            yield f"has {size} bytes of UTF-8, at most {self.longest_encoded} are allowed"
        if found := _UNSTORABLE.search(value):
            yield f"{shown(found[0])} at character {found.start() + 1} cannot be stored"

    def schema(self) -> Schema:
        """The same, except that JSON Schema counts in characters only."""
        limits = {"minLength": self.shortest or None, "maxLength": self.longest or self.longest_encoded}
        return {
            "type": "string",
            "description": self.description,
            "pattern": _STORABLE_PATTERN,
            **{keyword: limit for keyword, limit in limits.items() if limit},
        }


@dataclass(frozen=True, slots=True)
class ScheduleText:
    """A text that `parse_schedule` accepts."""

    description: str

    def faults(self, value: object) -> Iterator[str]:
        """What `parse_schedule` says, with the place in the text."""
        if not isinstance(value, str):
            yield f"expected a text, found {shown(value)}"
            return
        try:
            parse_schedule(value)
        except BadSchedule as error:
            yield f"{error} (at character {error.position + 1})"

    def schema(self) -> Schema:
        """A text with a format of our own: no regular expression tells a date from a wrong one."""
        return {"type": "string", "description": self.description, "format": SCHEDULE_FORMAT}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    description: str
    words: type[enum.StrEnum]

    def faults(self, value: object) -> Iterator[str]:
        """Which words there are, when it is none of them."""
        if not isinstance(value, str) or value not in tuple(self.words):
            yield f"expected {' or '.join(map(shown, self.words))}, found {shown(value)}"

    def schema(self) -> Schema:
        """The same."""
        return {"enum": [word.value for word in self.words], "description": self.description}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an object."""

    rule: Rule
    #: What stands for it when it is absent; None: it is required.
    default: str | None = None

    @property
    def required(self) -> bool:
        """Whether an object without it is refused."""
        return self.default is None

    def schema(self) -> Schema:
        """The schema of its value."""
        return self.rule.schema() | ({} if self.required else {"default": self.default})


CATEGORY_NAME = Text("The category whose jobs these are.", shortest=1, longest=NAME_LENGTH)

JOB_KEYS: Mapping[str, Key] = {
    "name": Key(Text("Unique among the jobs of the document.", shortest=1, longest=NAME_LENGTH)),
    "schedule": Key(ScheduleText("An ISO 8601 repeating interval, as in R/2013-05-29T00:00:00/PT1M.")),
    "command": Key(
        Text(f"Given to /bin/sh -c; at most {COMMAND_LENGTH} bytes of UTF-8.", longest_encoded=COMMAND_LENGTH)
    ),
    "routing_key": Key(
        Text(
            f"The pool of runners that the job goes to; at most {ROUTING_KEY_LENGTH} bytes of UTF-8.",
            shortest=1,
            longest_encoded=ROUTING_KEY_LENGTH,
        ),
        default=DEFAULT_ROUTING_KEY,
    ),
    "on_lost": Key(
        Choice("Whether a run whose runner is gone is tried again, as a new attempt.", OnLost),
        default=OnLost.FAIL.value,
    ),
}

#: Those that are rules of the job, and how each becomes a value of `Rules`.
RULE_KEYS: Mapping[str, Callable[[Any], Any]] = {"on_lost": OnLost}


def cronq_schema() -> Schema:
    """A fresh JSON Schema (draft 2020-12) of a category document.

    It leaves three things to the parser: that names are unique, limits in bytes, and the schedules, unless
    its user checks the format `cronq-schedule`.
    """
    job = {
        "type": "object",
        "required": [name for name, key in JOB_KEYS.items() if key.required],
        "properties": {name: key.schema() for name, key in JOB_KEYS.items()},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A category document of cronq",
        "type": "object",
        "required": ["category", "jobs"],
        "properties": {"category": CATEGORY_NAME.schema(), "jobs": {"type": "array", "items": job}},
    }


def shown(value: object) -> str:
    """A value as a message names it: in one short line that any terminal can show."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if not isinstance(value, str):
        return json.dumps(value, default=repr)[:_SHOWN]
    short = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
    return json.dumps(short, ensure_ascii=not short.isprintable())


def _encoded_size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
