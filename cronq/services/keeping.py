"""Keeps the beginning and the end of what a run writes, for those who look at it later."""

import sys
from collections import deque
from collections.abc import Iterable, Iterator

from cronq.domain.outputs import Output, Piece, Stream
from cronq.domain.utf8 import Decoded, decode_bytes

Pieces = deque[tuple[Stream, bytearray]]


class Tail:
    """Keeps the end of what comes, at most so many bytes and so many pieces of it."""

    def __init__(self, limit: int, most_pieces: int = sys.maxsize) -> None:
        """`limit` in bytes."""
        self._limit = limit
        self._most_pieces = most_pieces
        self.pieces: Pieces = deque()
        #: Bytes that it holds.
        self.size = 0

    def take(self, stream: Stream, data: bytes) -> None:
        """Keep the end of these bytes, and of what was there before as much as has room."""
        last = data[-self._limit :] if self._limit else b""
        if not last:
            return
        self.size += len(last)
        _append(self.pieces, stream, last)
        while len(self.pieces) > self._most_pieces:
            self.size -= len(self.pieces.popleft()[1])
        while (excess := self.size - self._limit) > 0:
            oldest = self.pieces[0][1]
            if len(oldest) <= excess:
                self.pieces.popleft()
            self.size -= min(len(oldest), excess)
            del oldest[:excess]


class Keeper:
    """Keeps at most so many bytes, half of them from the end; what it keeps costs no more, whatever comes."""

    def __init__(self, limit: int) -> None:
        """`limit` in bytes."""
        #: Bytes that were written in all.
        self.size = 0
        self._head: Pieces = deque()
        self._head_size = 0
        self._most_of_head = limit // 2
        self._tail = Tail(limit - limit // 2)

    def take(self, stream: Stream, data: bytes) -> None:
        """Keep these bytes, as far as they are of the beginning, or of the end as it looks now."""
        self.size += len(data)
        if room := self._most_of_head - self._head_size:
            first, data = data[:room], data[room:]
            self._head_size += len(first)
            _append(self._head, stream, first)
        self._tail.take(stream, data)

    def parts(self) -> Iterator[tuple[int, Pieces]]:
        """The beginning, and the end if there is one: where each begins, in bytes, and what is in it.

        They touch when nothing between them is left out.
        """
        yield 0, self._head
        if self._tail.pieces:
            yield self.size - self._tail.size, self._tail.pieces

    def kept(self) -> Output | None:
        """What is kept; None when there was nothing to keep."""
        if not (self._head or self._tail.pieces):
            return None
        tail_start = self.size - self._tail.size
        if self._head_size == tail_start:
            whole: Pieces = deque()
            for stream, data in (*self._head, *self._tail.pieces):
                _append(whole, stream, data)
            return Output(self.size, _as_text(whole, _decode(whole)))
        head = _decode(self._head, before_gap=True)
        tail = _decode(self._tail.pieces, after_gap=True)
        left_out = self._head_size - (head[-1].begun if head else 0), tail_start + tail[0].rest
        return Output(self.size, _as_text(self._head, head), _as_text(self._tail.pieces, tail), left_out)


def _append(pieces: Pieces, stream: Stream, data: bytes | bytearray) -> None:
    if pieces and pieces[-1][0] is stream:
        pieces[-1][1].extend(data)
    elif data:
        pieces.append((stream, bytearray(data)))


def _decode(pieces: Pieces, *, before_gap: bool = False, after_gap: bool = False) -> list[Decoded]:
    last = len(pieces) - 1
    return [
        decode_bytes(
            bytes(data), after_gap=after_gap and number == 0, before_gap=before_gap and number == last
        )
        for number, (_, data) in enumerate(pieces)
    ]


def _as_text(pieces: Pieces, decoded: Iterable[Decoded]) -> tuple[Piece, ...]:
    return tuple(Piece(stream, each.text) for (stream, _), each in zip(pieces, decoded, strict=True))
