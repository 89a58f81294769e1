"""What a value in a category document may be: each kind for the parser and for the JSON Schema."""

import enum
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cronq.domain.durations import parse_limit, parse_retry_delay
from cronq.domain.errors import BadSchedule
from cronq.domain.instants import parse_instant, parse_pause_end
from cronq.domain.schedules.interval_text import parse_every
from cronq.domain.schedules.specification import parse_exception, parse_jitter
from cronq.domain.schedules.text import parse_text, read_cron
from cronq.domain.zones import find_zone

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
    #: What it cannot be.
    never: tuple[str, ...] = ()

    def faults(self, value: object) -> Iterator[str]:
        """A sentence for each thing that is wrong with the value."""
        if not isinstance(value, str):
            yield f"expected a text, found {shown(value)}"
            return
        if len(value) < self.shortest:
            yield "must not be empty"
        if self.longest is not None and len(value) > self.longest:
            yield f"has {len(value)} characters, at most {self.longest} are allowed"
        if self.longest_encoded is not None and (size := encoded_size(value)) > self.longest_encoded:
            yield f"has {size} bytes of UTF-8, at most {self.longest_encoded} are allowed"
        if value in self.never:
            yield f"cannot be {shown(value)}, which in an address means another place"
        yield from unstorable(value)

    def schema(self) -> Schema:
        """The same, except that JSON Schema counts in characters only."""
        limits = {"minLength": self.shortest or None, "maxLength": self.longest or self.longest_encoded}
        return {
            "type": "string",
            "description": self.description,
            "pattern": _STORABLE_PATTERN,
            **{keyword: limit for keyword, limit in limits.items() if limit},
            **({"not": {"enum": list(self.never)}} if self.never else {}),
        }


@dataclass(frozen=True, slots=True)
class Written:
    """A text in a notation of its own, which one of `FORMATS` reads."""

    description: str
    format: str

    def faults(self, value: object) -> Iterator[str]:
        """What the reader says, with the place in the text."""
        if not isinstance(value, str):
            yield f"expected a text such as {_EXAMPLES[self.format]}, found {shown(value)}"
            return
        try:
            FORMATS[self.format](value)
        except BadSchedule as error:
            yield f"{error} (at character {error.position + 1})"

    def schema(self) -> Schema:
        """A text with a format of our own: no regular expression tells a date from a wrong one."""
        return {"type": "string", "description": self.description, "format": self.format}


@dataclass(frozen=True, slots=True)
class Formed:
    """A text of a certain form."""

    description: str
    #: A regular expression that Python and ECMA-262 understand alike; what has it can be stored.
    pattern: str
    #: What has that form, for whoever wrote something else.
    expected: str
    longest_encoded: int  # bytes of UTF-8

    def faults(self, value: object) -> Iterator[str]:
        """What is expected, when it is something else."""
        if not isinstance(value, str):
            yield f"expected a text, {self.expected}, found {shown(value)}"
            return
        if not re.search(self.pattern, value):
            yield f"expected {self.expected}, found {shown(value)}"
        elif (size := encoded_size(value)) > self.longest_encoded:
            yield f"has {size} bytes of UTF-8, at most {self.longest_encoded} are allowed"

    def schema(self) -> Schema:
        """The same, except that JSON Schema counts in characters."""
        return {
            "type": "string",
            "description": self.description,
            "pattern": self.pattern,
            "maxLength": self.longest_encoded,
        }


@dataclass(frozen=True, slots=True)
class Number:
    """A number between two limits, which are inclusive."""

    description: str
    least: int
    most: int
    whole: bool = True

    def faults(self, value: object) -> Iterator[str]:
        """Which numbers there are, when it is none of them."""
        right = (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and self.least <= value <= self.most
        )
        if not right or (self.whole and value % 1):  # type: ignore[operator]
            kind = "a whole number" if self.whole else "a number"
            yield f"expected {kind} from {self.least} to {self.most}, found {shown(value)}"

    def schema(self) -> Schema:
        """The same."""
        kind = "integer" if self.whole else "number"
        return {"type": kind, "minimum": self.least, "maximum": self.most, "description": self.description}


@dataclass(frozen=True, slots=True)
class Switch:
    """True or false."""

    description: str

    def faults(self, value: object) -> Iterator[str]:
        """Anything else."""
        if not isinstance(value, bool):
            yield f"expected true or false, found {shown(value)}"

    def schema(self) -> Schema:
        """The same."""
        return {"type": "boolean", "description": self.description}


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


SCHEDULE_FORMAT, LIMIT_FORMAT, PAUSE_FORMAT = "cronq-schedule", "cronq-limit", "cronq-pause-end"
RETRY_DELAY_FORMAT = "cronq-retry-delay"
CRON_FORMAT, STEP_FORMAT, JITTER_FORMAT = "cronq-cron", "cronq-step", "cronq-jitter"
DATES_FORMAT, ZONE_FORMAT, INSTANT_FORMAT = "cronq-dates", "cronq-timezone", "cronq-instant"
#: The formats in the JSON Schema, and what reads each; all raise `BadSchedule`.
FORMATS: Mapping[str, Callable[[str], Any]] = {
    SCHEDULE_FORMAT: parse_text,
    CRON_FORMAT: read_cron,
    STEP_FORMAT: parse_every,
    JITTER_FORMAT: parse_jitter,
    DATES_FORMAT: parse_exception,
    ZONE_FORMAT: find_zone,
    LIMIT_FORMAT: parse_limit,
    RETRY_DELAY_FORMAT: parse_retry_delay,
    PAUSE_FORMAT: parse_pause_end,
    INSTANT_FORMAT: parse_instant,
}
#: One of each, for whoever wrote no text at all.
_EXAMPLES: Mapping[str, str] = {
    SCHEDULE_FORMAT: "30 6 * * MON-FRI",
    CRON_FORMAT: "30 6 * * MON-FRI",
    STEP_FORMAT: "PT90S",
    JITTER_FORMAT: "PT30S",
    DATES_FORMAT: "2026-12-24",
    ZONE_FORMAT: "Europe/Berlin",
    LIMIT_FORMAT: "PT90S",
    RETRY_DELAY_FORMAT: "PT5M",
    PAUSE_FORMAT: "2026-12-24T18:00:00Z",
    INSTANT_FORMAT: "2026-12-24T18:00:00Z",
}


def shown(value: object) -> str:
    """A value as a message names it: in one short line that any terminal can show."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if not isinstance(value, str):
        return json.dumps(value, default=repr)[:_SHOWN]
    short = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
    return json.dumps(short, ensure_ascii=not short.isprintable())


def unstorable(text: str) -> Iterator[str]:
    """A sentence about the first character that no database can hold."""
    if found := _UNSTORABLE.search(text):
        yield f"{shown(found[0])} at character {found.start() + 1} cannot be stored"


def encoded_size(text: str) -> int:
    """The bytes of UTF-8 that it takes."""
    return len(text.encode("utf-8", "surrogatepass"))
