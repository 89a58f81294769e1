"""A page of jobs, found at a cost that does not grow with the number of jobs.

Where an index leads to few jobs, these are taken and put in order. Else the order is walked along, by its
index, and each job on the way is looked at until the page is full, or so many have been looked at: then the
page says that there may be more, and the next one goes on from there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from cronq.database.reading.categories import find_category
from cronq.database.reading.job_order import JobOrder, JobSort, Mark, Part, Place
from cronq.database.reading.job_search import Search
from cronq.database.reading.records import JobRecord, find_jobs
from cronq.database.tables import jobs

#: The steps of a walk along an order, in jobs: most pages are full after the first.
STEPS = (200, 1800, 8000)
#: Jobs that are looked at for a page.
LOOKED_AT = sum(STEPS)
#: So many are taken and put in order, and no more.
FEW = LOOKED_AT

#: Gives jobs of a part of an order after a mark, at most so many or a few more.
_Find = Callable[[Part, Mark | None, int], Iterator[Mark]]


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs in order."""

    jobs: tuple[JobRecord, ...]
    #: Before which place the page before ends, and after which the next one begins; None: there is none.
    previous: Place | None = None
    next: Place | None = None
    #: Whether it is not full because enough jobs had been looked at.
    cut_short: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """Where a page begins or, backwards, ends; without a place, at the beginning."""

    place: Place | None = None
    forwards: bool = True


def find_page(
    connection: Connection, search: Search, order: JobOrder, start: Start, now: datetime, limit: int
) -> JobPage:
    """The page of at most `limit` jobs that fits a search and begins or ends there."""
    category = find_category(connection, search.category) if search.category else None
    if search.category and category is None:
        return JobPage(())
    finder = _Finder(connection, search, order, None if category is None else category.id, now)
    found = finder.find(start, limit + 1)
    rest = found[limit - 1] if len(found) > limit else finder.reached
    places = [order.place(mark) for mark in found[:limit]]
    end = None if rest is None else order.place(rest)
    records = find_jobs(connection, {place.job_id for place in places})
    if start.forwards:
        listed = tuple(records[place.job_id] for place in places)
        begin = places[0] if places and start.place else None
        return JobPage(listed, begin, end, finder.reached is not None)
    listed = tuple(records[place.job_id] for place in reversed(places))
    return JobPage(listed, end, places[0] if places else None, finder.reached is not None)


class _Finder:
    """Finds the jobs of a search in an order."""

    def __init__(
        self, connection: Connection, search: Search, order: JobOrder, category_id: int | None, now: datetime
    ) -> None:
        #: How far the walk has come that looked at enough jobs.
        self.reached: Mark | None = None
        self._connection = connection
        self._order = order
        self._conditions = list(search.conditions(category_id, now))
        self._along: list[ColumnElement[bool]] = []
        if category_id is not None and order.sort is JobSort.NAME:
            # Within a category this order, too, is that of an index.
            self._along = [jobs.c.category_id == category_id]
            search = replace(search, category="")
        self._sources = list(search.sources(category_id, now, FEW + 1))

    def find(self, start: Start, most: int) -> list[Mark]:
        """At most so many jobs from there on."""
        begin, forwards = self._mark(start.place), start.forwards
        # To look a little way along the order costs less than to find out whether there is a shorter way.
        found = self._look(begin, forwards, most, partial(self._walk, STEPS[:1]))
        reached, self.reached = self.reached, None
        if reached is None:
            return found
        for source in self._sources:
            if self._has_few(source):
                return self._look(begin, forwards, most, partial(self._among, source))
        return found + self._look(reached, forwards, most - len(found), partial(self._walk, STEPS[1:]))

    def _look(self, mark: Mark | None, forwards: bool, most: int, find: _Find) -> list[Mark]:
        """At most so many jobs after a mark, from both parts of the order."""
        found: list[Mark] = []
        for part in self._order.parts(forwards=forwards):
            if mark is not None and not part.holds(mark):
                continue
            found += islice(find(part, mark, most - len(found)), most - len(found))
            if len(found) == most or self.reached is not None:
                break
            mark = None
        return found

    def _walk(self, steps: Sequence[int], part: Part, mark: Mark | None, most: int) -> Iterator[Mark]:
        for size in steps:
            step = part.step(mark, size).where(*self._along)
            yield from self._among(step, part, mark, most)
            last = self._connection.execute(part.marks(step).offset(size - 1).limit(1)).first()
            if last is None:
                return
            mark = Mark(*last)
        self.reached = mark

    def _among(self, ids: Select[Any], part: Part, mark: Mark | None, most: int) -> Iterator[Mark]:
        query = part.among(ids, mark).where(*self._conditions).limit(most)
        yield from (Mark(*row) for row in self._connection.execute(query).all())

    def _has_few(self, source: Select[Any]) -> bool:
        counted = self._connection.scalar(select(func.count()).select_from(source.subquery()))
        return (counted or 0) <= FEW

    def _mark(self, place: Place | None) -> Mark | None:
        if place is None:
            return None
        if self._order.sort is not JobSort.NAME:
            return Mark(place.job_id, place.first, place.job_id)
        names = select(jobs.c.id, jobs.c.category_id, jobs.c.name).where(jobs.c.id == place.job_id)
        row = self._connection.execute(names).first()
        return row and Mark(*row)
