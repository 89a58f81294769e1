"""Values in a category document that hold values, and what is wrong in them at any depth."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

from cronq.domain.document_values import Rule, Schema, Text, encoded_size, shown, unstorable
from cronq.domain.errors import Fault
from cronq.domain.json_places import element, member


class Part(NamedTuple):
    """A value within another one."""

    place: str
    rule: Rule
    value: object


@runtime_checkable
class Whole(Rule, Protocol):
    """The rule of a value that holds values."""

    def parts(self, value: object, place: str) -> Iterator[Part]:
        """What is in it."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one kind; the limits are inclusive."""

    description: str
    item: Rule
    most: int
    least: int = 0
    #: Whether each of its texts is in it once at most.
    unique: bool = False

    def faults(self, value: object) -> Iterator[str]:
        """What is wrong with the list as a whole."""
        if not isinstance(value, list):
            yield f"expected a list, found {shown(value)}"
        elif len(value) < self.least:
            yield "must not be empty"
        elif len(value) > self.most:
            yield f"has {len(value)} elements, at most {self.most} are allowed"
        elif self.unique:
            counts = Counter(each for each in value if isinstance(each, str))
            yield from (f"has {shown(text)} {count} times" for text, count in counts.items() if count > 1)

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
            **({"uniqueItems": True} if self.unique else {}),
        }


@dataclass(frozen=True, slots=True)
class Parts:
    """An object with these keys and no others, each of which may be absent."""

    description: str
    keys: Mapping[str, Rule]
    #: Whether it has one of them, and only one.
    exactly_one: bool = False

    def faults(self, value: object) -> Iterator[str]:
        """What is wrong with the object as a whole."""
        if not isinstance(value, dict):
            yield f"expected an object, found {shown(value)}"
        elif self.exactly_one and len(value) != 1:
            yield f"expected exactly one of the keys {', '.join(self.keys)}"
        else:
            unknown = (key for key in value if key not in self.keys)
            yield from (f"there is no key {shown(key)}, only {', '.join(self.keys)}" for key in unknown)

    def parts(self, value: object, place: str) -> Iterator[Part]:
        """The values of its keys."""
        for key, each in value.items() if isinstance(value, dict) else ():
            if key in self.keys:
                yield Part(member(place, key), self.keys[key], each)

    def schema(self) -> Schema:
        """The same."""
        return {
            "type": "object",
            "description": self.description,
            "properties": {key: rule.schema() for key, rule in self.keys.items()},
            "additionalProperties": False,
            **({"minProperties": 1, "maxProperties": 1} if self.exactly_one else {}),
        }


@dataclass(frozen=True, slots=True)
class ByType:
    """A value that may be a text, an object or a list, each with a rule of its own."""

    description: str
    text: Rule
    parts_by_key: Parts
    items: ListOf | None = None

    def faults(self, value: object) -> Iterator[str]:
        """What the rule for a value of this type says."""
        rule = self._rule(value)
        if rule is None:
            expected = "a text or an object" if self.items is None else "a text, an object or a list"
            yield f"expected {expected}, found {shown(value)}"
        else:
            yield from rule.faults(value)

    def parts(self, value: object, place: str) -> Iterator[Part]:
        """What is in it."""
        rule = self._rule(value)
        if isinstance(rule, Whole):
            yield from rule.parts(value, place)

    def schema(self) -> Schema:
        """The same: what is for another type does not count."""
        rules = [rule for rule in (self.text, self.parts_by_key, self.items) if rule is not None]
        schemas = [rule.schema() for rule in rules]
        merged = {key: each for schema in schemas for key, each in schema.items()}
        return merged | {"type": [schema["type"] for schema in schemas], "description": self.description}

    def _rule(self, value: object) -> Rule | None:
        if isinstance(value, str):
            return self.text
        if isinstance(value, dict):
            return self.parts_by_key
        return self.items if isinstance(value, list) else None


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
    if isinstance(rule, Whole):
        for part in rule.parts(value, place):
            yield from faults_at(*part)
