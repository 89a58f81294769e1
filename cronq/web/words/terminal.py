"""Output that was written for a terminal, as text with colours for a page (ECMA-48).

Of all that a command can tell a terminal, only the colours and shapes of letters are taken over (SGR, section
8.3.117). What moves the cursor, names windows or asks something is left out; other control characters, and
what turns the direction of all that follows it, are written out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from cronq.domain.outputs import Piece, Stream
from cronq.web.words.directions import TURNING
from cronq.web.words.palette import nearest, nearest_to_numbered

#: After an escape: what begins a string that is meant for the terminal. One that does not end is no string.
_STRINGS = ("]", "P", "X", "^", "_")
_STRING = r"[^\x07\x1b\n]{0,2048}"
_SEQUENCE = re.compile(
    rf"\x1b(?:\[(?P<numbers>[0-9;:]*)m|\[[0-?]*[ -/]*[@-~]"
    rf"|[\]PX^_]{_STRING}(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-~])"
)
#: The beginning of one, of which the rest is still to come.
_BEGUN = re.compile(rf"(?:\r+|\x1b(?:\[[0-?]{{0,256}}[ -/]{{0,16}}|[\]PX^_]{_STRING}\x1b?|[ -/]{{0,16}})?)\Z")
_NEWLINE = re.compile(r"\r+\n?")
_HARMFUL = re.compile(f"[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029{TURNING}]")

_RESET, _EIGHT, _OTHER, _NONE, _OF_LINES = 0, 8, 8, 9, 58
#: Where the numbers of eight colours begin, what they colour, and which of sixteen the first of them is.
_COLOURS = ((30, "colour", 0), (40, "ground", 0), (90, "colour", _EIGHT), (100, "ground", _EIGHT))
#: How many numbers say which colour, where it is none of these: red, green and blue, or one of 256.
_MIXED, _NUMBERED = 2, 5
_NUMBERS: dict[int | None, int] = {_MIXED: 3, _NUMBERED: 1}


@dataclass(frozen=True, slots=True)
class Span:
    """Text that looks alike, and the classes of the style sheet that say how."""

    text: str
    classes: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    """How letters look: colours from 0 to 15, None for those of the page."""

    colour: int | None = None
    ground: int | None = None
    shapes: frozenset[str] = frozenset()

    def classes(self, stream: Stream) -> str:
        found = ["err"] if stream is Stream.ERR else []
        colour, ground = self.colour, self.ground
        shapes = self.shapes
        if "inverse" in shapes and colour is not None:
            ground, shapes = colour, shapes - {"inverse"}
        if ground is not None:
            # Its letters have a colour that can be read on it.
            found.append(f"g{ground}")
        elif colour is not None:
            found.append(f"c{colour}")
        return " ".join(found + sorted(shapes))


_PLAIN = _Look()
_ON = {1: "bold", 2: "faint", 3: "italic", 4: "underline", 7: "inverse", 9: "struck", 21: "underline"}
_OFF = {
    22: {"bold", "faint"},
    23: {"italic"},
    24: {"underline"},
    27: {"inverse"},
    29: {"struck"},
}


class Painter:
    """Makes spans of the output of a run, piece by piece, however it is cut."""

    def __init__(self) -> None:
        self._looks = dict.fromkeys(Stream, _PLAIN)
        #: Of each stream: the beginning of what can only be understood with what follows it.
        self._begun = dict.fromkeys(Stream, "")

    def paint(self, pieces: Iterable[Piece], *, more: bool = False) -> list[Span]:
        """The spans of these pieces; there may be `more` to come."""
        found = [span for piece in pieces for span in self._paint(piece)]
        if not more:
            found += [span for stream in Stream for span in self._finish(stream)]
        return _joined(found)

    def _paint(self, piece: Piece) -> Iterator[Span]:
        stream = piece.stream
        text = self._begun[stream] + piece.text
        begun = _BEGUN.search(text)
        self._begun[stream] = begun[0] if begun else ""
        yield from self._spans(stream, text[: begun.start()] if begun else text)

    def _finish(self, stream: Stream) -> Iterator[Span]:
        begun, self._begun[stream] = self._begun[stream], ""
        if begun.startswith("\r") or begun[1:2] in _STRINGS:
            yield from self._spans(stream, begun)

    def _spans(self, stream: Stream, text: str) -> Iterator[Span]:
        position = 0
        for found in _SEQUENCE.finditer(text):
            yield self._span(stream, text[position : found.start()])
            position = found.end()
            if (numbers := found["numbers"]) is not None:
                self._looks[stream] = _changed(self._looks[stream], numbers)
        yield self._span(stream, text[position:])

    def _span(self, stream: Stream, text: str) -> Span:
        return Span(_readable(text), self._looks[stream].classes(stream))


def printable(output: str) -> str:
    """Output of a command as text for a page, without colours."""
    return "".join(span.text for span in Painter().paint([Piece(Stream.OUT, output)]))


def _readable(text: str) -> str:
    lines = _NEWLINE.sub("\n", text)
    return _HARMFUL.sub(lambda found: found[0].encode("unicode_escape").decode(), lines)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Neighbours that look alike are one."""
    joined = list[Span]()
    for span in spans:
        if joined and joined[-1].classes == span.classes:
            joined[-1] = Span(joined[-1].text + span.text, span.classes)
        elif span.text:
            joined.append(span)
    return joined


def _changed(look: _Look, text: str) -> _Look:
    """How letters look after a sequence with these numbers."""
    parameters = iter(text[:256].split(";"))
    for parameter in parameters:
        first, *within = [int(each or 0) for each in parameter.split(":")]
        if within[:1] == [_MIXED] and len(within) > _NUMBERS[_MIXED] + 1:
            del within[1]  # which space of colours it is of
        # What belongs to a number stands behind colons or, as programs write it, behind semicolons.
        look = _with(look, first, iter(within) if within else map(_number, parameters))
    return look


def _number(parameter: str) -> int:
    return int(parameter.partition(":")[0] or 0)


def _with(look: _Look, number: int, rest: Iterator[int]) -> _Look:
    if number == _RESET:
        return _PLAIN
    if number in _ON:
        return replace(look, shapes=look.shapes | {_ON[number]})
    if number in _OFF:
        return replace(look, shapes=look.shapes - _OFF[number])
    return replace(look, **_colours(number, rest))


def _colours(number: int, rest: Iterator[int]) -> dict[str, Any]:
    """What a number changes about colours, if it is about them."""
    for base, what, first in _COLOURS:
        if base <= number < base + _EIGHT:
            return {what: number - base + first}
        if not first and number in {base + _OTHER, base + _NONE}:
            return {what: _other(rest) if number == base + _OTHER else None}
    if number == _OF_LINES:
        _other(rest)
    return {}


def _other(rest: Iterator[int]) -> int | None:
    """A colour that is none of the sixteen: one of 256, or any red, green and blue."""
    kind = next(rest, None)
    values = list(islice(rest, _NUMBERS.get(kind, 0)))
    match values:
        case [number]:
            return nearest_to_numbered(number) if kind == _NUMBERED else None
        case [red, green, blue]:
            return nearest(red, green, blue)
    return None
