"""Bytes of output as text, also where they were cut within a character (RFC 3629, section 3)."""

import codecs
from dataclasses import dataclass

_Decoder = codecs.getincrementaldecoder("utf-8")
#: What a character goes on with; none begins so.
_INNER = bytes(range(0x80, 0xC0))
#: A character has at most so many of them.
_MOST_INNER = 3


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, and what was left out of it."""

    text: str
    #: Bytes at the beginning that are the rest of a character.
    rest: int = 0
    #: Bytes at the end that are the beginning of one.
    begun: int = 0


def decode_bytes(data: bytes, *, after_gap: bool = False, before_gap: bool = False) -> Decoded:
    r"""The text of what a command has written; bytes that are no text stand there as in `\xff`.

    Where something is missing before or behind it, nothing is told of the character that was cut there.
    """
    rest = 0
    if after_gap:
        head = data[:_MOST_INNER]
        rest = len(head) - len(head.lstrip(_INNER))
    decoder = _Decoder("backslashreplace")
    text = decoder.decode(data[rest:], final=not before_gap)
    return Decoded(text, rest, len(decoder.getstate()[0]))
