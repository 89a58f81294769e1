"""What is kept of the output of a run for those who look at it: its beginning and its end."""

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cronq.domain.errors import BadMessage
from cronq.domain.message_fields import Fields, is_storable

#: What a job may have kept of each run, and what is kept when it says nothing (bytes of its output).
LONGEST, USUAL = 65_536, 8_192
#: So many characters may stand for one byte that is no text, as in `\\xff`.
_ESCAPED = 4


class Stream(enum.StrEnum):
    """Where a command wrote a piece of its output."""

    OUT = "out"
    ERR = "err"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text that a command has written to one stream without a break."""

    stream: Stream
    text: str


@dataclass(frozen=True, slots=True)
class Output:
    """What is kept."""

    #: How many bytes there were in all.
    size: int
    #: All of it when there is no tail.
    head: tuple[Piece, ...]
    #: The end, when something between is left out.
    tail: tuple[Piece, ...] = ()
    #: From which byte on nothing is kept, and from which on the end is; None: all is kept, or it was written
    #: down by a version that did not say so.
    left_out: tuple[int, int] | None = None

    @property
    def bytes_left_out(self) -> int:
        """How many bytes are not kept; at least so many, where it was not written down."""
        if self.left_out is not None:
            return self.left_out[1] - self.left_out[0]
        # What was no text takes more characters than it had bytes.
        kept = sum(len(piece.text.encode()) for piece in (*self.head, *self.tail))
        return max(0, self.size - kept) if self.tail else 0

    def as_json(self) -> dict[str, Any]:
        """The same as JSON."""
        kept = {"head": _pairs(self.head), "tail": _pairs(self.tail), "left_out": self.left_out}
        return {"size": self.size} | {key: value for key, value in kept.items() if value}

    def encode(self) -> str:
        """What is kept, without the size, as a text."""
        said = self.as_json()
        del said["size"]
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def decode_output(size: int, text: str) -> Output:
    """What `Output.encode` wrote."""
    return _output(size, json.loads(text))


def take_output(data: Fields, key: str) -> Output:
    """What a message says is kept; raises `BadMessage`."""
    said = data[key]
    if not isinstance(said, dict):
        raise BadMessage(f"{key}: expected an object")
    size = said.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        raise BadMessage(f"{key}.size: expected a number of bytes")
    for part in ("head", "tail"):
        if not _is_part(said.get(part, [])):
            raise BadMessage(f"{key}.{part}: expected at most {LONGEST} bytes of output, in pairs of texts")
    if not _is_range(said.get("left_out"), size):
        raise BadMessage(f"{key}.left_out: expected two positions in {size} bytes")
    return _output(size, said)


def _output(size: int, said: Mapping[str, Any]) -> Output:
    head, tail = (
        tuple(Piece(Stream(stream), text) for stream, text in said.get(part, ())) for part in ("head", "tail")
    )
    left_out = said.get("left_out")
    return Output(size, head, tail, left_out and (left_out[0], left_out[1]))


def _pairs(pieces: tuple[Piece, ...]) -> list[list[str]]:
    return [[piece.stream.value, piece.text] for piece in pieces]


def _is_part(value: object) -> bool:
    if not isinstance(value, list):
        return False
    return all(map(_is_pair, value)) and sum(len(text) for _, text in value) <= _ESCAPED * LONGEST


def _is_pair(value: object) -> bool:
    match value:
        case [str(stream), str(text)]:
            return stream in set(Stream) and is_storable(text)
    return False


def _is_range(value: object, size: int) -> bool:
    match value:
        case None:
            return True
        case [int(start), int(stop)]:
            return 0 <= start <= stop <= size
    return False
