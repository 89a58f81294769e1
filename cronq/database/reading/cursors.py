"""Where the next page begins, in lists that no one numbers through: the ledger first, then what 0.27 left."""

import enum
import re
from dataclasses import dataclass
from typing import NamedTuple

_TEXT = re.compile(r"([re])(\d{1,18})", re.ASCII)


class Source(enum.StrEnum):
    """The table that a list goes on in."""

    LEDGER = "r"
    #: The events of 0.27, which all lie before the ledger begins.
    EVENTS = "e"


@dataclass(frozen=True, slots=True)
class Cursor:
    """The rows of a table with an id below this one, from the greatest down."""

    source: Source
    below: int

    def __str__(self) -> str:
        return f"{self.source}{self.below}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Read what `str` gave; raises `ValueError`."""
        found = _TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text[:60]!r} is no place in a list")
        return cls(Source(found[1]), int(found[2]))


LATEST = Cursor(Source.LEDGER, 2**62)
LATEST_INHERITED = Cursor(Source.EVENTS, 2**62)


class Place(NamedTuple):
    """A place in such a list, between two runs."""

    cursor: Cursor = LATEST
    #: Whether those are meant that come before it, where the latest is first.
    newer: bool = False
