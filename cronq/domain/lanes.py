"""The next slots of jobs: in one row as they come, and as the bars of a lane for each job."""

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from cronq.domain.schedules import Schedule


@dataclass(frozen=True, slots=True)
class Course:
    """What is to come of one job."""

    #: None when nobody can read it: then all that is known is its next slot.
    schedule: Schedule | None
    next_slot: datetime
    #: No slot before that runs: a pause ends there.
    since: datetime | None = None

    def slots(self, until: datetime) -> Iterator[datetime]:
        """Its slots up to that moment, that included."""
        after = self.next_slot
        if self.since is None or self.since <= after:
            if after <= until:
                yield after
        else:
            after = self.since - timedelta.resolution
        if self.schedule is not None:
            yield from self.schedule.slots_between(after, until)


@dataclass(frozen=True, slots=True)
class Bar:
    """A time in which a job runs, or (`dense`) starts so often that its runs cannot be told apart."""

    begin: datetime
    end: datetime
    dense: bool = False


def next_slots(courses: Mapping[int, Course], until: datetime, count: int) -> list[tuple[datetime, int]]:
    """The next slots of all of them in order, with the keys of the jobs whose they are."""

    def of_one(key: int, course: Course) -> Iterator[tuple[datetime, int]]:
        return ((slot, key) for slot in course.slots(until))

    return list(islice(heapq.merge(*(of_one(key, course) for key, course in courses.items())), count))


def lane_of(course: Course, until: datetime, took: timedelta, least: timedelta) -> list[Bar]:
    """The runs of a job as bars.

    `took` is how long a run usually takes. No bar is shorter than `least`, and what begins within
    `least` of the end of the one before belongs to it.
    """
    bars: list[Bar] = []
    for slot in course.slots(until):
        end = slot + max(took, least)
        if bars and slot - bars[-1].end < least:
            bars[-1] = Bar(bars[-1].begin, max(end, bars[-1].end), dense=True)
        else:
            bars.append(Bar(slot, end))
    return bars
