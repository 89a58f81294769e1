"""The output of a run as plain text."""

from collections.abc import Iterable

from cronq.domain.live_output import LeftOut, Written


def as_text(parts: Iterable[Written | LeftOut]) -> str:
    """All of it, with a line where something is missing."""
    return "".join(map(part_as_text, parts))


def part_as_text(part: Written | LeftOut) -> str:
    """One part of it."""
    if isinstance(part, LeftOut):
        return f"\n[{gap_in_words(part)}]\n"
    return "".join(piece.text for piece in part.pieces)


def gap_in_words(gap: LeftOut) -> str:
    """How much is missing: `12,345 bytes are left out here`."""
    count = gap.stop - gap.start
    return f"{count:,} byte{'s are' if count != 1 else ' is'} left out here"
