"""A schedule as a person looks at it: in words, with its next slots, with notes and warnings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronq.domain.saturating import shifted
from cronq.domain.schedules.advice import notes_of, warnings_of
from cronq.domain.schedules.specification import Specification
from cronq.domain.zones import wall_time

#: So far ahead a change of the clocks is near; and so far at most, when the slots shown reach further.
_NEAR, _FAR = timedelta(days=30), timedelta(days=400)


@dataclass(frozen=True, slots=True)
class ComingSlot:
    """A slot that is still to come."""

    #: Naive UTC.
    moment: datetime
    #: What the clocks of the schedule show then.
    wall: datetime
    #: By how much it is put off.
    jitter: timedelta

    @property
    def offset(self) -> timedelta:
        """How far these clocks are ahead of UTC."""
        return self.wall - self.moment


@dataclass(frozen=True, slots=True)
class Preview:
    """What a schedule means."""

    sentence: str
    zone: ZoneInfo | None
    slots: tuple[ComingSlot, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def preview(
    specification: Specification, now: datetime, count: int, *, nameless: str | None = None
) -> Preview:
    """Look at the next slots after `now`; raises `BadSchedule`.

    `nameless`: nobody has said for which job this is; the end of a sentence about how to say so.
    """
    schedule, zone = specification.build(), specification.zone()
    moments = list(islice(schedule.slots_between(now, datetime.max), count))
    slots = []
    for moment in moments:
        try:
            wall = wall_time(moment, zone)
        except OverflowError:
            break  # no clock of the zone can show it, nor any that comes later
        slots.append(ComingSlot(moment, wall, moment - schedule.slot_before_jitter(moment)))
    until = min(max(shifted(now, _NEAR), *moments), shifted(now, _FAR)) if moments else now
    return Preview(
        schedule.in_words(),
        zone,
        tuple(slots),
        (*_notes_of_nobody(specification, nameless), *notes_of(specification, now, until)),
        tuple(warnings_of(specification, now)),
    )


def _notes_of_nobody(specification: Specification, nameless: str | None) -> Iterator[str]:
    hashed = "what H stands for" if specification.has_hash else ""
    jitter = "how far a slot is put off" if specification.jitter else ""
    if nameless is not None and (hashed or jitter):
        what = " and ".join(filter(None, (hashed, jitter)))
        yield f"{what} follows from the names of category and job, and here from none: {nameless}"
