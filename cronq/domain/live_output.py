"""What a command writes while somebody looks on: what a runner sends, and what a reader makes of it.

A byte of output is known by its position: how many were written before it, to either stream.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cronq.domain.errors import BadMessage
from cronq.domain.message_fields import Fields, read_fields, take_id, write_fields
from cronq.domain.outputs import LONGEST, Output, Piece, Stream
from cronq.domain.utf8 import decode_bytes

#: Seconds from one excerpt of a run to the next, and how much one may have: bytes, and pieces.
INTERVAL, MOST_BYTES, MOST_PIECES = 0.5, 16_384, 512
#: Seconds for which a runner shows output when it is told to; somebody who looks on says it again before.
LEASE = 30.0

Bytes = tuple[Stream, bytes]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of the output of a run, or the word that there is none yet."""

    run_id: str
    #: The position of its first byte.
    start: int
    #: How many bytes were written in all by then.
    size: int
    pieces: tuple[Bytes, ...] = ()

    @property
    def stop(self) -> int:
        """The position behind its last byte."""
        return self.start + sum(len(data) for _, data in self.pieces)

    def encode(self) -> bytes:
        """The JSON of the message."""
        said = {"run_id": self.run_id, "start": self.start, "size": self.size}
        return write_fields(said | {"pieces": _pairs(self.pieces)})

    @classmethod
    def decode(cls, body: bytes) -> "Excerpt":
        """Read an excerpt; raises `BadMessage`."""
        data = read_fields(body)
        pieces = _take_pieces(data)
        return cls(
            take_id(data, "run_id"), _take_position(data, "start"), _take_position(data, "size"), pieces
        )

    def encode_pieces(self) -> str:
        """What is in it, as a text."""
        return json.dumps(_pairs(self.pieces), separators=(",", ":"))


def decode_pieces(text: str) -> tuple[Bytes, ...]:
    """What `Excerpt.encode_pieces` wrote."""
    return tuple((Stream(stream), b64decode(data)) for stream, data in json.loads(text))


@dataclass(frozen=True, slots=True)
class Written:
    """A part of the output as somebody reads it, from one position to another."""

    start: int
    stop: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of the output that is not to be had, from one position to another."""

    start: int
    stop: int


def read_on(position: int, excerpts: Iterable[Excerpt], *, ended: bool) -> Iterator[Written | LeftOut]:
    """What there is to read from a position on, in order and each byte once.

    The beginning of a character at the very end is left for the next time, unless the command has `ended`.
    """
    start, pieces = position, list[Bytes]()
    after_gap = False
    for excerpt in sorted(excerpts, key=lambda each: each.start):
        at = start + sum(len(data) for _, data in pieces)
        if excerpt.stop <= at:
            continue
        if excerpt.start > at:
            before = list(_read(start, pieces, after_gap=after_gap, before_gap=True))
            yield from before
            yield LeftOut(before[-1].stop if before else start, excerpt.start)
            start, pieces, after_gap = excerpt.start, [], True
            at = start
        pieces += _from(at - excerpt.start, excerpt.pieces)
    yield from _read(start, pieces, after_gap=after_gap, before_gap=not ended)


def read_kept(kept: Output) -> Iterator[Written | LeftOut]:
    """What there is to read of a run that is over."""
    if not kept.tail:
        yield Written(0, kept.size, kept.head)
        return
    start, stop = kept.left_out or (_size(kept.head), kept.size - _size(kept.tail))
    if kept.head:
        yield Written(0, start, kept.head)
    yield LeftOut(start, max(start, stop))
    yield Written(max(start, stop), kept.size, kept.tail)


def _size(pieces: Iterable[Piece]) -> int:
    """How many bytes they had, if all of them were text."""
    return sum(len(piece.text.encode()) for piece in pieces)


def _from(skipped: int, pieces: Sequence[Bytes]) -> Iterator[Bytes]:
    """The pieces without their first bytes."""
    for stream, data in pieces:
        if rest := data[skipped:]:
            yield stream, rest
        skipped = max(0, skipped - len(data))


def _read(start: int, pieces: Sequence[Bytes], *, after_gap: bool, before_gap: bool) -> Iterator[Written]:
    found, position = list[Piece](), start
    joined = _joined(pieces)
    for number, (stream, data) in enumerate(joined):
        decoded = decode_bytes(
            data,
            after_gap=after_gap and number == 0,
            before_gap=before_gap and number == len(joined) - 1,
        )
        position += len(data) - decoded.begun
        if decoded.text:
            found.append(Piece(stream, decoded.text))
    if position > start:
        yield Written(start, position, tuple(found))


def _joined(pieces: Sequence[Bytes]) -> list[Bytes]:
    """The same with neighbours of one stream in one piece, so that no character is cut between them."""
    joined = list[Bytes]()
    for stream, data in pieces:
        if joined and joined[-1][0] is stream:
            joined[-1] = stream, joined[-1][1] + data
        else:
            joined.append((stream, data))
    return joined


def _pairs(pieces: Iterable[Bytes]) -> list[list[str]]:
    return [[stream.value, b64encode(data).decode()] for stream, data in pieces]


def _take_position(data: Fields, key: str) -> int:
    value = data.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63 - LONGEST:
        raise BadMessage(f"{key}: expected a number of bytes")
    return value


def _take_pieces(data: Fields) -> tuple[Bytes, ...]:
    value = data.get("pieces")
    if not isinstance(value, list):
        raise BadMessage("pieces: expected a list")
    pieces = tuple(map(_piece, value))
    if sum(len(written) for _, written in pieces) > LONGEST:
        raise BadMessage(f"pieces: more than {LONGEST} bytes")
    return pieces


def _piece(value: Any) -> Bytes:
    match value:
        case [str(stream), str(text)] if stream in set(Stream):
            try:
                return Stream(stream), b64decode(text, validate=True)
            except binascii.Error:
                pass  # told below
    raise BadMessage("pieces: expected pairs of a stream and of base64")
