"""When a job runs, read by itself: for whoever tries a schedule out before it is in a document."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cronq.domain.document_parts import faults_at
from cronq.domain.document_slips import missing_keys
from cronq.domain.document_values import shown
from cronq.domain.errors import BadDocument, Fault
from cronq.domain.json_places import member, place_of
from cronq.domain.schedule_keys import TIME_KEYS, WHEN
from cronq.domain.schedules import Specification

_KEYS = {"schedule": WHEN, **TIME_KEYS}


def read_specification(
    keys: Mapping[str, Any], category: str = "", name: str = "", *, besides: Sequence[str] = ()
) -> Specification:
    """The keys of a job that say when it runs, and no others; raises `BadDocument` with every fault.

    `besides` are keys that were allowed, too, for who has written another one.
    """
    if faults := list(_faults(keys, ", ".join((*_KEYS, *besides)))):
        raise BadDocument(faults)
    specification = Specification.of_job(category, name, keys)
    if faults := list(faults_of(specification)):
        raise BadDocument(faults)
    return specification


def faults_of(specification: Specification, place: tuple[str | int, ...] = ()) -> Iterator[Fault]:
    """What is wrong with the whole, where each part is right."""
    for path, error in specification.faults():
        yield Fault(place_of((*place, *path)), f"{error} (at character {error.position + 1})")


def _faults(keys: Mapping[str, Any], allowed: str) -> Iterator[Fault]:
    yield from missing_keys(keys, "", ["schedule"], tuple(_KEYS))
    for key, value in keys.items():
        if key in _KEYS:
            yield from faults_at(member("", key), _KEYS[key].rule, value)
        else:
            yield Fault(member("", key), f"there is no key {shown(key)} here, only {allowed}")
