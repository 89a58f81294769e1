"""Values in a category document that hold values, and what is wrong in them at any depth."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from cronq.domain.document_values import Rule, Schema, Text, encoded_size, shown, unstorable
from cronq.domain.errors import Fault
from cronq.domain.json_places import element, member


class Part(NamedTuple):
    """A value within another one."""

    place: str
    rule: Rule
    value: object


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one kind; the limits are inclusive."""

    description: str
    item: Rule
    most: int
    least: int = 0

    def faults(self, value: object) -> Iterator[str]:
        """What is wrong with the list as a whole."""
        if not isinstance(value, list):
            yield f"expected a list, found {shown(value)}"
        elif len(value) < self.least:
            yield "must not be empty"
        elif len(value) > self.most:
            yield f"has {len(value)} elements, at most {self.most} are allowed"

    def parts(self, value: object, place: str) -> Iterator[Part]:
        """Its elements."""
        for index, each in enumerate(value if isinstance(value, list) else ()):
            yield Part(element(place, index), self.item, each)

    def schema(self) -> Schema:
        """The same."""
        return {
            "type": "array",
            "description": self.description,
            "minItems": self.least,
            "maxItems": self.most,
            "items": self.item.schema(),
        }


@dataclass(frozen=True, slots=True)
class Variables:
    """Environment variables by name; the limit is inclusive."""

    description: str
    value: Text
    #: Names that are not for users.
    taken: frozenset[str]
    longest_encoded: int  # bytes of UTF-8, of all names and values together

    def faults(self, value: object) -> Iterator[str]:
        """What is wrong with their names, and with all of them together."""
        if not isinstance(value, dict):
            yield f"expected an object, found {shown(value)}"
            return
        for name in value:
            if not name or "=" in name:
                yield f"{shown(name)} cannot be a variable: its name must not be empty or hold ="
            elif name in self.taken:
                yield f"{shown(name)} is set by cronq itself"
            yield from unstorable(name)
        texts = [each for pair in value.items() for each in pair if isinstance(each, str)]
        if (size := sum(map(encoded_size, texts))) > self.longest_encoded:
            yield f"has {size} bytes of UTF-8, at most {self.longest_encoded} are allowed"

    def parts(self, value: object, place: str) -> Iterator[Part]:
        """Their values."""
        for name, text in value.items() if isinstance(value, dict) else ():
            yield Part(member(place, name), self.value, text)

    def schema(self) -> Schema:
        """The same, but for the size of the whole."""
        taken = "|".join(sorted(self.taken))
        return {
            "type": "object",
            "description": self.description,
            "propertyNames": {"pattern": rf"^(?!(?:{taken})$)[^=\u0000\ud800-\udfff]+$"},
            "additionalProperties": self.value.schema(),
        }


@dataclass(frozen=True, slots=True)
class Key:
    """One key of an object."""

    rule: Rule
    #: Whether an object without it is refused.
    required: bool = False
    #: What stands for it when it is absent, as a document would write it.
    default: Any = None

    def schema(self) -> Schema:
        """The schema of its value."""
        return self.rule.schema() | ({} if self.default is None else {"default": self.default})


def faults_at(place: str, rule: Rule, value: object) -> Iterator[Fault]:
    """What is wrong with a value, and with the values in it, each with its place."""
    for message in rule.faults(value):
        yield Fault(place, message)
    if isinstance(rule, ListOf | Variables):
        for part in rule.parts(value, place):
            yield from faults_at(*part)
