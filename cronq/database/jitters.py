"""Which slots of jobs belong together, whose jitter has put them off by different times."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from cronq.database.terms import read_terms
from cronq.domain.schedules import LONGEST_JITTER
from cronq.domain.timetable import Term

#: From the beginning of a day to a slot of that day.
_LONGEST = LONGEST_JITTER + timedelta(days=1)


class Jitters:
    """What some jobs ran by, to find their slots as they would be without jitter."""

    def __init__(self, terms: Mapping[int, Sequence[Term]]) -> None:
        self._terms = terms

    def before(self, job_id: int, slot: datetime) -> datetime:
        """Where the slot would be without its jitter; what is no slot of the job's own stays where it is."""
        # A backfill makes slots of times in which the job ran by something else, or was not there yet.
        terms = self._terms.get(job_id, ())
        for term in sorted(terms, key=lambda term: not term.since < slot <= term.until):
            if term.schedule is not None and term.schedule.last_until(slot) == slot:
                return term.schedule.slot_before_jitter(slot)
        return slot

    def slots_for(self, job_ids: Collection[int], moments: Collection[datetime]) -> list[datetime]:
        """Those moments, and the slots of the jobs that would be there without their jitter."""
        schedules = {term.schedule for job_id in job_ids for term in self._terms.get(job_id, ())}
        put_off = (
            schedule.slot_with_jitter(moment)
            for schedule in schedules
            if schedule is not None and schedule.jitter
            for moment in moments
        )
        return sorted({*moments, *(slot for slot in put_off if slot is not None)})

    def longest(self, job_ids: Collection[int]) -> timedelta:
        """No slot of these jobs is put off so far."""
        schedules = (term.schedule for job_id in job_ids for term in self._terms.get(job_id, ()))
        return max((schedule.jitter for schedule in schedules if schedule is not None), default=timedelta(0))


def read_jitters(connection: Connection, job_ids: Collection[int], slots: Collection[datetime]) -> Jitters:
    """What these jobs ran by around these slots, and since then."""
    if not job_ids or not slots:
        return Jitters({})
    first = min(slots)
    return Jitters(read_terms(connection, job_ids, first - min(_LONGEST, first - datetime.min)))
