"""The slots of a job that was changed now and then."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.schedules import parse_schedule
from cronq.domain.timetable import Term, Timetable

START = datetime(2026, 1, 1)
MINUTELY = parse_schedule("R/2026-01-01T00:00:00/PT1M")
EACH_TEN_SECONDS = parse_schedule("R/2026-01-01T00:00:05/PT10S")
FIVE_TIMES = parse_schedule("R5/2026-01-01T00:02:00/PT30S")
#: The tests look no further than this.
SECONDS = 400


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


terms = st.builds(
    lambda schedule, since, length: Term(schedule, after(since), after(since + length)),
    st.sampled_from([MINUTELY, EACH_TEN_SECONDS, FIVE_TIMES, None]),
    st.integers(0, SECONDS),
    st.integers(0, 120),
)
moments = st.integers(-20, SECONDS + 200).map(after)


def counted_on_the_fingers(some: list[Term]) -> list[datetime]:
    """All slots, found second by second; where two terms overlap, the one that began first answers."""
    found, end = [], datetime.min
    for term in sorted(some, key=lambda term: term.since):
        since, end = max(term.since, end), max(end, term.until)
        for second in range(SECONDS + 200):
            slot = after(second)
            if since < slot <= term.until and term.schedule and term.schedule.last_until(slot) == slot:
                found.append(slot)
    return found


class TimetableTests(SynchronousTestCase):
    @given(st.lists(terms, max_size=5), moments, moments)
    def test_all_slots(self, some: list[Term], one: datetime, other: datetime) -> None:
        """The slots are those of each term in its time, however many terms and gaps lie between."""
        timetable, slots = Timetable(some), counted_on_the_fingers(some)
        begin, end = sorted([one, other])
        self.assertEqual(timetable.first_after(begin), next((s for s in slots if s > begin), None))
        self.assertEqual(timetable.last_until(end), next((s for s in reversed(slots) if s <= end), None))
        self.assertEqual(timetable.count_between(begin, end), sum(begin < s <= end for s in slots))

    def test_change_at_a_slot(self) -> None:
        """The slot at which a job is changed belongs to what it was before."""
        timetable = Timetable([Term(MINUTELY, START, after(60)), Term(EACH_TEN_SECONDS, after(60))])
        self.assertEqual(timetable.first_after(START), after(60))
        self.assertEqual(timetable.first_after(after(60)), after(65))
        self.assertEqual(timetable.count_between(START, after(80)), 3)

    def test_unreadable(self) -> None:
        """Where no one knows what slots there were, that is known."""
        dark = Term(None, after(60), after(120), "a fault")
        timetable = Timetable([Term(MINUTELY, START, after(60)), dark, Term(MINUTELY, after(120))])
        self.assertEqual(timetable.unreadable(START, after(60)), [])
        self.assertEqual(timetable.unreadable(START, after(61)), [dark])
        self.assertEqual(timetable.unreadable(after(120), after(900)), [])
        self.assertEqual(timetable.count_between(START, after(180)), 2)

    def test_no_terms(self) -> None:
        """A job that never was has no slots."""
        timetable = Timetable([])
        self.assertEqual((timetable.first_after(START), timetable.last_until(START)), (None, None))
        self.assertEqual(timetable.count_between(datetime.min, datetime.max), 0)
