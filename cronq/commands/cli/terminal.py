"""Text on a terminal: made harmless, measured in columns, and put into tables that fit."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

_GAP = "  "
_ELLIPSIS = "…"
#: What `harmless_lines` leaves as it is: line feeds, tabs, and how text is drawn (ECMA-48, 8.3.117).
_LINES = re.compile(r"(\x1b\[[0-9;:]*m|[\n\t])")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    #: It may be cut to this, in columns of the terminal; None: never.
    least: int | None = None
    #: When the table does not fit even so, the columns with the greatest number go first; 0 never goes.
    expendable: int = 0
    right: bool = False
    #: Puts colour on a cell.
    paint: Callable[[str], str] | None = None


def harmless(text: str) -> str:
    """The text without anything that a terminal would obey or hide.

    Control and format characters, line and paragraph separators, and what is not assigned (Unicode Standard,
    section 4.5: general categories C, Zl and Zp) are escaped, so a text is always one line.
    """
    if text.isprintable():
        return text
    return "".join(each if _is_visible(each) else _escaped(each) for each in text)


def harmless_lines(text: str) -> str:
    """The same for a text of several lines, which may have tabs, and colours if it has them already."""
    parts = _LINES.split(text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(part if number % 2 else harmless(part) for number, part in enumerate(parts))


def width_of(text: str) -> int:
    """How many columns of a terminal a harmless text takes (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def cut(text: str, width: int) -> str:
    """The text, or its beginning and an ellipsis when it is wider."""
    if width_of(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= _width(character)
        if room < 0:
            break
        kept += character
    return kept.rstrip() + _ELLIPSIS


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], width: int | None) -> list[str]:
    """The lines of a table, aligned and, when `width` is given, within it as far as that can be."""
    cells = [[column.title for column in columns]]
    cells += [[harmless(cell) or "-" for cell in row] for row in rows]
    rooms = _fit(columns, [max(map(width_of, column)) for column in zip(*cells, strict=True)], width)
    head, *rest = (
        [_padded(columns[index], row[index], room) for index, room in rooms.items()] for row in cells
    )
    paints = [columns[index].paint or str for index in rooms]
    painted = ([paint(cell) for paint, cell in zip(paints, row, strict=True)] for row in rest)
    return [_GAP.join(line).rstrip() for line in (head, *painted)]


def _fit(columns: Sequence[Column], widths: Sequence[int], width: int | None) -> dict[int, int]:
    """The columns to show, by their index, each with its width."""
    rooms = dict(enumerate(widths))
    if width is None:
        return rooms
    least = {index: min(room, columns[index].least or room) for index, room in rooms.items()}
    for index in sorted(rooms, key=lambda index: -columns[index].expendable):
        if _total(least.values()) > width and columns[index].expendable:
            del least[index], rooms[index]
    while _total(rooms.values()) > width:
        widest = max(rooms, key=lambda index: (rooms[index] > least[index], rooms[index]))
        if rooms[widest] == least[widest]:
            break
        rooms[widest] -= 1
    return rooms


def _total(rooms: Collection[int]) -> int:
    return sum(rooms) + len(_GAP) * (len(rooms) - 1)


def _padded(column: Column, text: str, room: int) -> str:
    text = cut(text, room)
    space = " " * (room - width_of(text))
    return space + text if column.right else text + space


def _is_visible(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
