"""Trying a schedule out: what it means, and when its next slots are."""

from datetime import datetime, timedelta
from typing import Any

from cronq.domain.document_values import Number, shown
from cronq.domain.errors import BadDocument, Fault
from cronq.domain.json_text import load_json
from cronq.domain.schedule_documents import read_specification
from cronq.domain.schedules.preview import ComingSlot, Preview, preview

DEFAULT_COUNT = 10
_COUNT = Number("How many slots.", 1, 100)
_SECOND = timedelta(seconds=1)


def preview_of_body(body: bytes, now: datetime) -> Preview:
    """The preview that a request asks for, as from `now`; raises `BadDocument` with every fault."""
    text = load_json(body)
    asked = text.value
    if not isinstance(asked, dict):
        raise BadDocument([Fault("", f"expected an object, found {shown(asked)}")])
    keys = dict(asked)
    count = keys.pop("count", DEFAULT_COUNT)
    names = [keys.pop(key, "") for key in ("category", "name")]
    faults = [Fault("count", message) for message in _COUNT.faults(count)]
    for key, name in zip(("category", "name"), names, strict=True):
        if not isinstance(name, str):
            faults.append(Fault(key, f"expected a text, found {shown(name)}"))
    try:
        if faults:
            raise BadDocument(faults)
        specification = read_specification(keys, *names, besides=("count", "category", "name"))
        nameless = None if all(names) else "say category and name to see the slots of a job"
        return preview(specification, now, int(count), nameless=nameless)
    except BadDocument as error:
        raise BadDocument(text.located(error.faults)) from error


def preview_shape(found: Preview, now: datetime) -> dict[str, Any]:
    """A preview, as the API gives it."""
    return {
        "sentence": found.sentence,
        "timezone": str(found.zone or "UTC"),
        "slots": [slot_shape(slot, now) for slot in found.slots],
        "notes": list(found.notes),
        "warnings": list(found.warnings),
    }


def slot_shape(slot: ComingSlot, now: datetime) -> dict[str, Any]:
    """A slot in UTC and by the clocks of its zone, with the seconds until then and those of its jitter."""
    return {
        "slot": slot.moment.isoformat(),
        "local": slot.wall.isoformat() + offset_text(slot.offset),
        "in": (slot.moment - now).total_seconds(),
        "jitter": slot.jitter.total_seconds(),
    }


def offset_text(offset: timedelta) -> str:
    """How far clocks are ahead of UTC, as in `+02:00`."""
    sign, minutes = ("-" if offset < timedelta(0) else "+"), abs(offset) // (60 * _SECOND)
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
