"""The kinds of values in a category document: what each may be, for the parser and for the JSON Schema."""

import enum
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from cronq.domain.durations import Duration, parse_duration
from cronq.domain.errors import BadSchedule

#: The format in the JSON Schema of a duration without calendar units.
SPAN_FORMAT = "cronq-span"
#: No command or database holds a NUL, and half of a surrogate pair is not Unicode, but JSON can write both.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
STORABLE_PATTERN = r"^[^\u0000\ud800-\udfff]*$"
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
        if self.longest_encoded is not None and (size := encoded_size(value)) > self.longest_encoded:
            yield f"has {size} bytes of UTF-8, at most {self.longest_encoded} are allowed"
        yield from unstorable(value)

    def schema(self) -> Schema:
        """The same, except that JSON Schema counts in characters only."""
        limits = {"minLength": self.shortest or None, "maxLength": self.longest or self.longest_encoded}
        return {
            "type": "string",
            "description": self.description,
            "pattern": STORABLE_PATTERN,
            **{keyword: limit for keyword, limit in limits.items() if limit},
        }


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
class Span:
    """An ISO 8601 duration of an exact length; the limit is inclusive."""

    description: str
    longest: timedelta

    def faults(self, value: object) -> Iterator[str]:
        """What is wrong with it, with the place in the text."""
        if not isinstance(value, str):
            yield f"expected a duration such as PT30M, found {shown(value)}"
            return
        try:
            found = parse_duration(value)
        except BadSchedule as error:
            yield f"{error} (at character {error.position + 1})"
            return
        if found.months:
            yield "months and years have no exact length, write days, as in P30D"
        elif found.exact > self.longest:
            yield f"{shown(value)} is too long, at most {Duration(0, self.longest)} is allowed"

    def schema(self) -> Schema:
        """A text with a format of our own."""
        return {"type": "string", "description": self.description, "format": SPAN_FORMAT}


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """A whole number; the limits are inclusive."""

    description: str
    least: int
    most: int

    def faults(self, value: object) -> Iterator[str]:
        """What it must be, when it is not."""
        if not self._fits(value):
            yield f"expected a whole number from {self.least} to {self.most}, found {shown(value)}"

    def schema(self) -> Schema:
        """The same."""
        limits = {"minimum": self.least, "maximum": self.most}
        return {"type": "integer", "description": self.description, **limits}

    def _fits(self, value: object) -> bool:
        # JSON Schema takes 3.0 for a whole number, and true for none.
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return self.least <= value <= self.most and value == int(value)


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an object."""

    rule: Rule
    #: Whether an object without it is refused.
    required: bool = False
    #: What stands for it when it is absent; None: nothing does.
    default: Any = None

    def schema(self) -> Schema:
        """The schema of its value."""
        return self.rule.schema() | ({} if self.default is None else {"default": self.default})


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
