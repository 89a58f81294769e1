"""Keys of a document that are missing or not known, and what was probably meant."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from cronq.domain.document_values import shown
from cronq.domain.errors import Fault
from cronq.domain.json_places import member
from cronq.domain.schedule_keys import KINDS

#: Longer words are like none of ours, and comparing takes time.
_LONGEST_SLIP = 24  # characters


def missing_keys(
    found: Mapping[str, Any], place: str, required: Sequence[str], known: Sequence[str]
) -> Iterator[Fault]:
    """A fault for each of the required keys that is not there."""
    for key in required:
        if key not in found:
            yield Fault(member(place, key), f"missing{_written_as(found, key, known)}")


def unknown_keys(
    found: Mapping[str, Any], place: str, known: Sequence[str], *, of_schedule: bool = False
) -> Iterator[Fault]:
    """A remark on each key that is not known; `of_schedule`: what belongs in a schedule is a slip here."""
    for key, value in found.items():
        if key in known:
            continue
        belongs_there = of_schedule and key in KINDS
        meant = _schedule_of(key, value) if belongs_there else closest(key, tuple(known))
        yield Fault(member(place, key), f"unknown key{f', did you mean {meant}?' if meant else ''}")


@lru_cache(maxsize=1024)
def closest(word: str, candidates: tuple[str, ...]) -> str | None:
    """The candidate that was probably meant by a word that is none of them."""
    short = [candidate for candidate in candidates if len(candidate) <= _LONGEST_SLIP]
    matches = get_close_matches(word, short) if len(word) <= _LONGEST_SLIP else []
    # Whoever writes "retry" means "retries" rather than "directory".
    begun = [match for match in matches if match.startswith(word[:-1])]
    return next(iter(begun + matches), None)


def _written_as(found: Mapping[str, Any], key: str, known: Sequence[str]) -> str:
    others = tuple(other for other in found if other not in known)
    if slip := closest(key, others):
        return f", did you write it as {member('', slip)}?"
    kinds = [kind for kind in KINDS if key == "schedule" and kind in found]
    return f", did you mean {_schedule_of(kinds[0], found[kinds[0]])}?" if kinds else ""


def _schedule_of(kind: str, value: object) -> str:
    return f'"schedule": {{"{kind}": {shown(value)}}}'
