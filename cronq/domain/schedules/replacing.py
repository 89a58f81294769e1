"""A schedule in place of another one, so that no slot is lost and none comes twice."""

from dataclasses import replace
from datetime import datetime

from cronq.domain.errors import BadSchedule
from cronq.domain.schedules.handover import NO_HANDOVER, hand_over
from cronq.domain.schedules.interface import Schedule
from cronq.domain.schedules.specification import HANDOVER, Specification, parse_schedule


def may_have_jitter(text: str) -> bool:
    """Whether slots of that text may be put off, as far as that can be seen without reading it."""
    return text.startswith("{")


def text_in_place_of(old: Schedule, text: str, until: datetime, now: datetime) -> str:
    """The text to be stored of a new schedule, which replaces at `now` one that had slots until `until`.

    Raises `BadSchedule`.
    """
    handover = hand_over(old, parse_schedule(text), until, now)
    return replace(Specification.decode(text), handover=handover).encode() if handover else text


def text_of_document(text: str | None) -> str | None:
    """A stored text as its document says it, whatever it has taken over from another one."""
    if text is None or f'"{HANDOVER}":' not in text:
        return text
    try:
        return replace(Specification.decode(text), handover=NO_HANDOVER).encode()
    except BadSchedule:
        return text
