"""All slots of a job, whatever it ran by from one change to the next."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from cronq.domain.schedules import Schedule


@dataclass(frozen=True, slots=True)
class Term:
    """What a job ran by for a while: it answers for the slots with `since` < slot <= `until`."""

    #: None when it cannot be read, so that no one knows which slots there were.
    schedule: Schedule | None
    since: datetime
    until: datetime = datetime.max
    #: Why it cannot be read.
    fault: str = ""


class Timetable:
    """The slots of several terms, of which each ends where the next one begins, or before."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self.terms: list[Term] = []
        end = datetime.min
        for term in sorted(terms, key=lambda term: term.since):
            since = max(term.since, end)
            if since < term.until:
                self.terms.append(replace(term, since=since))
                end = term.until
        self._ends = [term.until for term in self.terms]

    def first_after(self, moment: datetime) -> datetime | None:
        """The first slot later than `moment`."""
        for term in self.terms[self._index(moment) :]:
            slot = None if term.schedule is None else term.schedule.first_after(max(moment, term.since))
            if slot is not None and slot <= term.until:
                return slot
        return None

    def last_until(self, moment: datetime) -> datetime | None:
        """The latest slot that is not later than `moment`."""
        for term in reversed(self.terms[: self._index(moment) + 1]):
            slot = None if term.schedule is None else term.schedule.last_until(min(moment, term.until))
            if slot is not None and slot > term.since:
                return slot
        return None

    def count_between(self, after: datetime, until: datetime) -> int:
        """How many slots there are with `after` < slot <= `until`."""
        return sum(
            term.schedule.count_between(max(after, term.since), min(until, term.until))
            for term in self.terms[self._index(after) : self._index(until) + 1]
            if term.schedule is not None and max(after, term.since) < min(until, term.until)
        )

    def unreadable(self, after: datetime, until: datetime) -> list[Term]:
        """The terms of which no one knows what slots they had, as far as they lie in that time."""
        return [
            term
            for term in self.terms[self._index(after) : self._index(until) + 1]
            if term.schedule is None and max(after, term.since) < min(until, term.until)
        ]

    def _index(self, moment: datetime) -> int:
        """The first term that does not end before `moment`."""
        return bisect_left(self._ends, moment)
