"""JSON as people write it: what the decoder of the standard library lets pass, and where each fault is.

That decoder keeps the last of two equal keys, reads NaN and forgets where things were. It is fast, so it
reads every text; the slower walk over the tokens is made only when there is something to explain.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from cronq.domain.errors import BadDocument, Fault
from cronq.domain.json_places import STRING, path_of, place_of, spots

#: A string is matched too, so that what it holds is passed over.
_CONSTANT = re.compile(rf"{STRING}|(-?Infinity|NaN)")


@dataclass(frozen=True, slots=True)
class JsonText:
    """A text that is JSON, and its value."""

    text: str
    value: object
    has_repeated_keys: bool

    def repeated_keys(self) -> Iterator[Fault]:
        """A fault for each key that its object has had before: readers of JSON differ in which one counts."""
        if self.has_repeated_keys:
            for spot in spots(self.text):
                if spot.repeated:
                    yield Fault(place_of(spot.path), "this key is here twice", spot.line)

    def located(self, faults: Iterable[Fault]) -> tuple[Fault, ...]:
        """The faults with their lines, in the order of the text; a missing key is where its object begins."""
        paths = [(fault, path_of(fault.place)) for fault in faults]
        if not paths:
            return ()
        found = {spot.path: spot for spot in spots(self.text, (path for _, path in paths))}
        placed = [(fault, found.get(path) or found[path[:-1]]) for fault, path in paths]
        placed.sort(key=lambda pair: (pair[0].line or pair[1].line, pair[1].offset))
        return tuple(replace(fault, line=fault.line or spot.line) for fault, spot in placed)


def load_json(text: bytes | str) -> JsonText:
    """Read one JSON value (RFC 8259: UTF-8, and a byte order mark may be ignored); raises `BadDocument`."""
    decoded = (text if isinstance(text, str) else _decode(text)).removeprefix("\ufeff")
    if not decoded.strip():
        raise _refusal("not JSON: it is empty", 1)
    seen = _Seen(decoded)
    try:
        value = json.loads(decoded, object_pairs_hook=seen.members, parse_constant=seen.constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _refusal(f"not JSON at {where}: {error.msg}", error.lineno) from error
    except RecursionError as error:
        raise _refusal("not a category document: it is nested too deeply") from error
    except ValueError as error:  # of `int`, which reads a limited number of digits
        raise _refusal("not a category document: a number in it has too many digits") from error
    return JsonText(decoded, value, seen.repeated)


@dataclass(slots=True)
class _Seen:
    """What the decoder of the standard library meets and would not mention."""

    text: str
    repeated: bool = False

    def members(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        self.repeated = self.repeated or len(found) < len(pairs)
        return found

    def constant(self, name: str) -> NoReturn:
        offset = next(match.start() for match in _CONSTANT.finditer(self.text) if match[1])
        raise json.JSONDecodeError(f"{name} is not a number of JSON", self.text, offset)


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise _refusal(f"not UTF-8: byte {text[error.start]:#04x} in line {line}", line) from error


def _refusal(message: str, line: int | None = None) -> BadDocument:
    return BadDocument([Fault("", message, line)])
