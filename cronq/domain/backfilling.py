"""Slots of the past that somebody wants to be run."""

import enum
from collections.abc import Iterable, Iterator
from datetime import datetime

from cronq.domain.runs import ENDED, Status
from cronq.domain.saturating import just_before
from cronq.domain.schedules import Schedule, previous_slot

MOST_SLOTS = 100_000
MOST_AT_ONCE = 100
#: The reason of its runs that have not started by then.
CALLED_OFF = "its backfill was called off"
#: A slot of which there is such a run has run; lost ones may have.
_HAS_RUN = ENDED | {Status.RUNNING, Status.LOST}


class Order(enum.StrEnum):
    """Which slots come first."""

    OLDEST = "oldest"
    NEWEST = "newest"


def slots_to_fill(
    schedule: Schedule, since: datetime, until: datetime, order: Order, reached: datetime | None
) -> Iterator[datetime]:
    """The slots with `since` <= slot <= `until` that come after the one that was reached, in that order."""
    if order is Order.OLDEST:
        yield from schedule.slots_between(just_before(since) if reached is None else reached, until)
        return
    slot = schedule.last_until(until) if reached is None else previous_slot(schedule, reached)
    while slot is not None and slot > just_before(since):
        yield slot
        slot = previous_slot(schedule, slot)


def has_run(statuses: Iterable[Status]) -> bool:
    """Whether a slot with rows of these statuses is not to be filled."""
    return any(status in _HAS_RUN for status in statuses)


def is_undecided(statuses: Iterable[Status]) -> bool:
    """Whether a slot with rows of these statuses has a run that may start, or come to nothing after all."""
    statuses = list(statuses)
    return Status.QUEUED in statuses and not has_run(statuses)
