"""What a run has written, on the streams of the command line: as it is, or harmless on a terminal."""

import os
import re
import sys
from typing import Any

import click

from cronq.commands.cli.session import say_json, tell
from cronq.commands.cli.terminal import harmless_lines
from cronq.domain.outputs import Stream

_RESET = "\x1b[0m"
#: What may be the beginning of a change of colour, or of the end of a line.
_BEGUN = re.compile(r"(?:\x1b(?:\[[0-9;:]*)?|\r)\Z")
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


class Writer:
    """Writes part after part, standard error to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._columns = {Stream.OUT: _Column(err=False), Stream.ERR: _Column(err=True)}

    def write(self, part: Any) -> None:
        """Write a part as the API gives it, or say how much is missing.

        Raises `KeyError`, `TypeError` or `ValueError` when it is none.
        """
        if self._as_json:
            say_json(part)
        elif "pieces" in part:
            for piece in part["pieces"]:
                self._columns[Stream(piece["stream"])].write(piece["text"])
        else:
            self.end_lines()
            tell(f"[{part['to'] - part['from']:,} bytes are left out here]")

    def end_lines(self) -> None:
        """Have what is said next begin a line of its own, in no colour."""
        for column in self._columns.values():
            column.end_line()


class _Column:
    """One of the two streams."""

    def __init__(self, *, err: bool) -> None:
        self._err = err
        self._on_terminal = (sys.stderr if err else sys.stdout).isatty()
        self._held = ""
        self._is_coloured = False
        self._is_in_line = False

    def write(self, text: str) -> None:
        """Write a text; on a terminal, what that would obey is escaped, but for colours."""
        if self._on_terminal:
            text = self._tamed(text)
        if text:
            click.echo(text, nl=False, err=self._err, color=True)
            self._is_in_line = not text.endswith("\n")

    def end_line(self) -> None:
        """Only on a terminal: elsewhere nothing is added to what the command wrote."""
        if self._on_terminal:
            rest = harmless_lines(self._held) + (_RESET if self._is_coloured else "")
            rest += "\n" if self._is_in_line or self._held else ""
            click.echo(rest, nl=False, err=self._err, color=True)
            self._held, self._is_coloured, self._is_in_line = "", False, False

    def _tamed(self, text: str) -> str:
        text = self._held + text
        begun = _BEGUN.search(text)
        self._held = begun[0] if begun else ""
        text = harmless_lines(text.removesuffix(self._held))
        if os.environ.get("NO_COLOR"):
            return _COLOUR.sub("", text)
        self._is_coloured = self._is_coloured or bool(_COLOUR.search(text))
        return text
