"""The orders of the list of jobs, and the places in them at which pages begin and end."""

import enum
import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Join, Select, and_, null, or_, select

from cronq.database.tables import jobs
from cronq.database.usual_tables import usual_durations

_PLACE = re.compile(r"(\d{1,10})(?:-([0-9.e+-]{1,30}))?", re.ASCII)
_EPOCH = datetime(1970, 1, 1)
_TICK = timedelta(microseconds=1)


class JobSort(enum.StrEnum):
    """By what jobs are in order."""

    #: By category and name.
    NAME = "name"
    #: The next slot, the soonest first.
    NEXT = "next"
    #: The end of the last run, the latest first.
    LAST = "last"
    #: The usual duration, the longest first.
    USUAL = "usual"


@dataclass(frozen=True, slots=True)
class Key:
    """The columns that an order goes by: the second is unique among the rows with the same first one."""

    #: Jobs that have none come last, by their ids.
    first: ColumnElement[Any]
    second: ColumnElement[Any]
    #: The job's, in the table that holds both of them, which has an index over them.
    job_id: ColumnElement[int]


_BY_DURATION = Key(usual_durations.c.median, usual_durations.c.job_id, usual_durations.c.job_id)
_KEYS = {
    JobSort.NAME: Key(jobs.c.category_id, jobs.c.name, jobs.c.id),
    JobSort.NEXT: Key(jobs.c.next_run, jobs.c.id, jobs.c.id),
    JobSort.LAST: Key(jobs.c.last_run_stop, jobs.c.id, jobs.c.id),
    JobSort.USUAL: _BY_DURATION,
}
_DOWNWARDS = frozenset({JobSort.LAST, JobSort.USUAL})


@dataclass(frozen=True, slots=True)
class Place:
    """A job, and what its first key was when somebody looked: it may have another one by now."""

    job_id: int
    first: datetime | float | None = None

    def __str__(self) -> str:
        if self.first is None:
            return str(self.job_id)
        if isinstance(self.first, datetime):
            return f"{self.job_id}-{(self.first - _EPOCH) // _TICK}"
        return f"{self.job_id}-{self.first!r}"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place with all that it takes to compare jobs with it."""

    job_id: int
    first: Any
    second: Any


@dataclass(frozen=True, slots=True)
class JobOrder:
    """An order of jobs, or the same from its end."""

    sort: JobSort = JobSort.NAME
    turned: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.turned else ''}{self.sort}"

    @classmethod
    def parse(cls, text: str) -> "JobOrder":
        """Read what `str` gave; raises `ValueError`."""
        name = text.removeprefix("-")
        if name not in set(JobSort):
            raise ValueError(f"expected one of {', '.join(JobSort)}, or one of these with a minus before it")
        return cls(JobSort(name), name != text)

    @property
    def key(self) -> Key:
        """What it goes by."""
        return _KEYS[self.sort]

    @property
    def upwards(self) -> bool:
        """Whether the smallest comes first."""
        return (self.sort in _DOWNWARDS) is self.turned

    def parse_place(self, text: str) -> Place:
        """Read what `str` gave of a place in this order; raises `ValueError`."""
        found = _PLACE.fullmatch(text)
        if found is None:
            raise ValueError("it is no place in a list of jobs")
        job_id, first = int(found[1]), found[2]
        if first is None or self.sort is JobSort.NAME:
            return Place(job_id)
        try:
            return Place(job_id, _number(first) if self.sort is JobSort.USUAL else _moment(first))
        except (ValueError, OverflowError) as error:
            raise ValueError("it is no place in a list of jobs") from error

    def place(self, mark: Mark) -> Place:
        """What a page has to remember of a mark."""
        return Place(mark.job_id, None if self.sort is JobSort.NAME else mark.first)

    def parts(self, *, forwards: bool) -> "tuple[Part, Part]":
        """Those that have the first key and those that have none, in the order of that direction."""
        first, last = Part(self, forwards, has_first=True), Part(self, forwards, has_first=False)
        return (first, last) if forwards else (last, first)


@dataclass(frozen=True, slots=True)
class Part:
    """The jobs that have the first key of an order, or those that have none, in one direction."""

    order: JobOrder
    forwards: bool
    has_first: bool

    def holds(self, mark: Mark) -> bool:
        """Whether a mark is in this part."""
        return (mark.first is not None) is self.has_first

    def step(self, mark: Mark | None, size: int) -> Select[Any]:
        """The ids of the next jobs after a mark, as an index holds them, whatever else is true of them."""
        key = self.order.key
        job_id = key.job_id if self.has_first else jobs.c.id
        query = select(job_id.label("id")).where(*self._beyond(mark)).order_by(*self._ordering).limit(size)
        if self.order.sort is JobSort.USUAL:
            # All that is in the table has one. As a range, it is plain to MariaDB that its index is meant.
            return query.where(key.first >= 0) if self.has_first else query
        return query.where(key.first.is_not(None) if self.has_first else key.first.is_(None))

    def marks(self, step: Select[Any]) -> Select[Any]:
        """The same jobs as marks."""
        key = self.order.key
        if not self.has_first:
            return step.with_only_columns(jobs.c.id, null(), null())
        return step.with_only_columns(key.job_id, key.first, key.second)

    def among(self, ids: Select[Any], mark: Mark | None) -> Select[Any]:
        """The jobs of this part that are among those ids and after a mark, in order, as marks."""
        key, ground = self.order.key, ids.subquery()
        tables: Join = ground.join(jobs, jobs.c.id == ground.c.id)
        if self.order.sort is JobSort.USUAL:
            tables = tables.outerjoin(usual_durations, usual_durations.c.job_id == jobs.c.id)
        first, second = (key.first, key.second) if self.has_first else (null(), null())
        in_part = key.first.is_not(None) if self.has_first else key.first.is_(None)
        query = select(jobs.c.id, first, second).select_from(tables)
        # Else MariaDB may walk along all jobs, and look for each of them among the ids.
        for server in ("mysql", "mariadb"):
            query = query.prefix_with("STRAIGHT_JOIN", dialect=server)
        return query.where(in_part, *self._beyond(mark)).order_by(*self._ordering)

    @property
    def _ordering(self) -> list[ColumnElement[Any]]:
        if not self.has_first:
            return [jobs.c.id.asc() if self.forwards else jobs.c.id.desc()]
        both = self.order.key.first, self.order.key.second
        return [each.asc() if self._upwards else each.desc() for each in both]

    @property
    def _upwards(self) -> bool:
        return self.order.upwards is self.forwards

    def _beyond(self, mark: Mark | None) -> list[ColumnElement[bool]]:
        if mark is None:
            return []
        if not self.has_first:
            return [jobs.c.id > mark.job_id if self.forwards else jobs.c.id < mark.job_id]
        first, second = self.order.key.first, self.order.key.second
        # Written out, since MariaDB finds no range in a comparison of tuples.
        same = first == mark.first
        if self._upwards:
            return [or_(first > mark.first, and_(same, second > mark.second))]
        return [or_(first < mark.first, and_(same, second < mark.second))]


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _moment(text: str) -> datetime:
    return _EPOCH + int(text) * _TICK
