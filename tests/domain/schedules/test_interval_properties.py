"""What holds for every schedule at every moment, and for every text that someone may take for a schedule."""

from bisect import bisect_right
from calendar import monthrange
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import BadSchedule
from cronq.domain.schedules import RepeatingInterval, Schedule, parse_schedule

FIRST_MOMENT = datetime.min
DAY = timedelta(days=1)
TICK = timedelta(microseconds=1)

#: The machine may be busy: nothing here depends on how long an example takes.
patient = settings(deadline=None)


def stepped(schedule: RepeatingInterval, count: int) -> list[datetime]:
    """The first slots by the book: months are counted on the fingers."""
    slots = []
    year, month = schedule.start.year, schedule.start.month
    for n in range(count if schedule.repetitions is None else min(count, schedule.repetitions)):
        day = min(schedule.start.day, monthrange(year, month)[1])
        slots.append(schedule.start.replace(year=year, month=month, day=day) + n * schedule.exact)
        for _ in range(schedule.months):
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return slots


#: How many slots are stepped through; short enough not to leave the calendar.
STEPS = 60

moments = st.datetimes()
exact_parts = st.timedeltas(timedelta(0), timedelta(days=70)) | st.integers(0, 90).map(
    lambda n: timedelta(seconds=n)
)
steps = st.tuples(st.sampled_from([0, 0, 1, 2, 3, 6, 12, 13, 48, 1200]), exact_parts).filter(
    lambda step: step[0] > 0 or step[1] >= timedelta(seconds=1)
)


def schedules(starts: st.SearchStrategy[datetime] = moments) -> st.SearchStrategy[RepeatingInterval]:
    """Schedules of all kinds: exact, calendar and mixed steps, with and without an end."""
    repetitions = st.none() | st.integers(1, 2 * STEPS)
    return st.builds(
        lambda start, step, n: RepeatingInterval(start, step[0], step[1], n), starts, steps, repetitions
    )


early = schedules(st.datetimes(max_value=datetime(2400, 1, 1)))


@st.composite
def near_misses(draw: st.DrawFn) -> tuple[RepeatingInterval, datetime]:
    """A schedule, and a moment that is one of its first slots or lies between two of them."""
    schedule = draw(early)
    slot, following = draw(
        st.sampled_from(list(pairwise(stepped(schedule, STEPS))) or [(schedule.start,) * 2])
    )
    distance = draw(
        st.sampled_from([timedelta(0), TICK, -TICK, (following - slot) / 2, following - slot - TICK])
    )
    return schedule, slot + distance


class SlotPropertyTests(SynchronousTestCase):
    """What holds for every schedule at every moment."""

    @patient
    @given(schedules(), st.integers(0, 10**9))
    def test_strictly_increasing(self, schedule: RepeatingInterval, n: int) -> None:
        """No slot comes twice and none goes back."""
        slot, following = schedule.slot(n), schedule.slot(n + 1)
        if following is not None:
            assert slot is not None
            self.assertLess(slot, following)

    @patient
    @given(early)
    def test_slots_agree_with_stepping(self, schedule: RepeatingInterval) -> None:
        """The slots are those that a patient person finds in a calendar."""
        expected = stepped(schedule, STEPS)
        self.assertEqual([schedule.slot(n) for n in range(len(expected))], expected)

    @patient
    @given(near_misses())
    def test_neighbours_agree_with_stepping(self, example: tuple[RepeatingInterval, datetime]) -> None:
        """The next and the latest slot are found right also on a slot and a moment beside it."""
        schedule, moment = example
        expected = stepped(schedule, STEPS + 1)
        index = bisect_right(expected, moment)
        self.assertEqual(schedule.first_after(moment), expected[index] if index < len(expected) else None)
        self.assertEqual(schedule.last_until(moment), expected[index - 1] if index else None)

    @patient
    @given(schedules(), moments)
    def test_nothing_lies_between(self, schedule: RepeatingInterval, moment: datetime) -> None:
        """The latest slot and the next one enclose any moment, with no slot between them."""
        latest, following = schedule.last_until(moment), schedule.first_after(moment)
        if latest is not None:
            self.assertLessEqual(latest, moment)
            self.assertEqual(schedule.first_after(latest), following)
        else:
            self.assertEqual(following, schedule.start)
        if following is not None:
            self.assertGreater(following, moment)
            self.assertEqual(schedule.last_until(following - TICK), latest)

    @patient
    @given(near_misses(), st.timedeltas(-400 * DAY, 400 * DAY))
    def test_count_agrees_with_listing(
        self, example: tuple[RepeatingInterval, datetime], distance: timedelta
    ) -> None:
        """As many slots are counted between two moments as are listed, and as stepping finds."""
        schedule, after = example
        last = stepped(schedule, STEPS)[-1]
        until = min(max(after - FIRST_MOMENT + distance, timedelta(0)), last - FIRST_MOMENT) + FIRST_MOMENT
        expected = [slot for slot in stepped(schedule, STEPS) if after < slot <= until]
        self.assertEqual(list(schedule.slots_between(after, until)), expected)
        self.assertEqual(schedule.count_between(after, until), len(expected))

    @patient
    @given(schedules(), moments, moments, moments)
    def test_counts_add_up(self, schedule: RepeatingInterval, a: datetime, b: datetime, c: datetime) -> None:
        """However a span of time is cut in two, no slot is lost or counted twice."""
        first, middle, last = sorted([a, b, c])
        self.assertEqual(
            schedule.count_between(first, middle) + schedule.count_between(middle, last),
            schedule.count_between(first, last),
        )
        self.assertEqual(schedule.count_between(last, first), 0)

    @patient
    @given(schedules())
    def test_text_and_back(self, schedule: RepeatingInterval) -> None:
        """The canonical text of a schedule means the same schedule."""
        self.assertEqual(parse_schedule(str(schedule)), schedule)

    @patient
    @given(schedules())
    def test_everything_can_be_described(self, schedule: RepeatingInterval) -> None:
        """Every schedule has a phrase of one line."""
        self.assertRegex(schedule.in_words(), r"\A(every|once at) [ -~]+\Z")

    def test_the_contract_of_schedules(self) -> None:
        """A repeating interval can stand wherever any schedule can."""
        schedule: Schedule = parse_schedule("R/2026-01-01/P1D")
        self.assertEqual(schedule.first_after(FIRST_MOMENT), datetime(2026, 1, 1))


#: Texts that look much like a schedule.
near_schedules = st.lists(
    st.sampled_from(
        [*"RPTZWYMDHS/-+:.,0123456789", "R/", "/P", "2013-05-29", "T24:00", "PT1M", "9999", "\u0663", "\n"]
    )
).map("".join)


class ParserPropertyTests(SynchronousTestCase):
    """What holds for every text."""

    def assertReadOrRefused(self, text: str) -> None:
        try:
            schedule = parse_schedule(text)
        except BadSchedule as error:
            self.assertTrue(0 <= error.position <= len(text))
            self.assertRegex(str(error), r"\A[^\n]{10,250}\Z")
        else:
            if isinstance(schedule, RepeatingInterval):
                self.assertEqual(parse_schedule(str(schedule)), schedule)

    @patient
    @given(st.text())
    def test_any_text(self, text: str) -> None:
        """Any text is read or refused in one line, never a crash."""
        self.assertReadOrRefused(text)

    @patient
    @given(near_schedules, near_schedules)
    def test_texts_of_the_right_letters(self, start: str, duration: str) -> None:
        """Nor does a text crash that is nearly a schedule."""
        self.assertReadOrRefused(f"R/{start}/{duration}")
        self.assertReadOrRefused(f"R/{start}/PT1M")
        self.assertReadOrRefused(f"R/2013-05-29/P{duration}")

    @patient
    @given(schedules(), st.integers(0, 60), near_schedules)
    def test_slips_of_the_pen(self, schedule: RepeatingInterval, place: int, slip: str) -> None:
        """Nor does a schedule with a slip in it."""
        text = str(schedule)
        self.assertReadOrRefused(text[:place] + slip + text[place:])
        self.assertReadOrRefused(text[:place] + slip + text[place + 1 :])
