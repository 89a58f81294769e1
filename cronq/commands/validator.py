"""`cronq-validator`: says what is wrong with a category document, before anybody sends it to cronq."""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn, TextIO

from cronq import __version__
from cronq.domain.documents import read_document
from cronq.domain.errors import BadDocument, Fault

DEFAULT_FILE = "cronq.config"
_DESCRIPTION = "Say every fault of a category document, each with its line and its place; else say nothing."
_OK, _WRONG, _MISUSED = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 all is well, 1 something is wrong, 2 wrong usage."""
    file: str = _parser().parse_args(argv).config
    try:
        return _validate(file)
    except BrokenPipeError:
        # Whoever reads has seen enough, as in `cronq-validator | head`. Python writes once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _WRONG


def _validate(file: str) -> int:
    try:
        text = Path(file).read_bytes()
    except OSError as error:
        _print([f"cronq-validator: {file}: {error.strerror}"], sys.stderr)
        return _WRONG
    try:
        remarks = read_document(text).remarks
    except BadDocument as error:
        _print((_at(file, fault) + str(fault) for fault in error.faults), sys.stdout)
        remarks, result = error.remarks, _WRONG
    else:
        result = _OK
    _print((f"{_at(file, remark)}warning: {remark}" for remark in remarks), sys.stderr)
    return result


def _at(file: str, fault: Fault) -> str:
    return f"{file}: " if fault.line is None else f"{file}:{fault.line}: "


def _print(lines: Iterable[str], stream: TextIO) -> None:
    # A file name may hold bytes, and a document characters, that the terminal's encoding does not know.
    encoding = stream.encoding or "utf-8"
    stream.writelines(line.encode(encoding, "backslashreplace").decode(encoding) + "\n" for line in lines)
    stream.flush()


class _Parser(argparse.ArgumentParser):
    """One line, where argparse prints its usage as well."""

    def error(self, message: str) -> NoReturn:
        self.exit(_MISUSED, f"{self.prog}: {message} (--help lists the options)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="cronq-validator", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument(
        "--config", metavar="FILE", default=DEFAULT_FILE, help="the document (default: %(default)s)"
    )
    parser.add_argument("--version", action="version", version=f"cronq-validator {__version__}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
