"""Keeps the beginning and the end of what a run writes, for those who look at it later."""

import codecs
from collections import deque
from collections.abc import Iterator

from cronq.domain.outputs import Output, Piece, Stream

#: What a character of UTF-8 goes on with; none begins so (RFC 3629, section 3).
_INNER = bytes(range(0x80, 0xC0))

Pieces = deque[tuple[Stream, bytearray]]


class Keeper:
    """Keeps at most so many bytes, half of them from the end; what it keeps costs no more, whatever comes."""

    def __init__(self, limit: int) -> None:
        """`limit` in bytes."""
        self._size = 0
        self._head: Pieces = deque()
        self._tail: Pieces = deque()
        self._head_room = limit // 2
        self._most_of_tail = limit - limit // 2
        self._tail_size = 0

    def take(self, stream: Stream, data: bytes) -> None:
        """Keep these bytes, as far as they are of the beginning, or of the end as it looks now."""
        self._size += len(data)
        if self._head_room:
            first, data = data[: self._head_room], data[self._head_room :]
            self._head_room -= len(first)
            _append(self._head, stream, first)
        if data and self._most_of_tail:
            last = data[-self._most_of_tail :]
            self._tail_size += len(last)
            _append(self._tail, stream, last)
            self._trim()

    def kept(self) -> Output | None:
        """What is kept; None when there was nothing to keep."""
        if not (self._head or self._tail):
            return None
        if self._size == sum(len(data) for _, data in self._head) + self._tail_size:
            whole: Pieces = deque()
            for stream, data in (*self._head, *self._tail):
                _append(whole, stream, data)
            return Output(self._size, tuple(_as_text(whole)))
        return Output(
            self._size, tuple(_as_text(self._head, cut=True)), tuple(_as_text(self._tail, begun=True))
        )

    def _trim(self) -> None:
        while (excess := self._tail_size - self._most_of_tail) > 0:
            oldest = self._tail[0][1]
            if len(oldest) <= excess:
                self._tail.popleft()
            self._tail_size -= min(len(oldest), excess)
            del oldest[:excess]


def _append(pieces: Pieces, stream: Stream, data: bytes | bytearray) -> None:
    if pieces and pieces[-1][0] is stream:
        pieces[-1][1].extend(data)
    elif data:
        pieces.append((stream, bytearray(data)))


def _as_text(pieces: Pieces, *, cut: bool = False, begun: bool = False) -> Iterator[Piece]:
    """Of a character where output was cut, nothing is told."""
    for number, (stream, data) in enumerate(pieces):
        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        whole = bytes(data.lstrip(_INNER) if begun and number == 0 else data)
        yield Piece(stream, decoder.decode(whole, final=not (cut and number == len(pieces) - 1)))
