"""What holds for every kind of schedule, and for those that are made of others."""

from datetime import datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.schedules import Schedule, Specification, parse_schedule
from tests.domain.schedules.calendar import DAY, FIRST, LAST, ZONES, changes, days_of, wall

TICK = datetime.resolution
patient = settings(deadline=None)

TEXTS = [
    "*/7 * * * *",
    "30 2 * * *",
    "0 0-5 * * *",
    "H H * * *",
    "H/15 * * * *",
    "0 12 29 2 *",
    "0 0 31 * MON#2",
    "every PT90S",
    "every PT45M",
    "every P1D",
    "every P1W",
    "every P1M",
    "every P1DT1H",
    "R/1999-12-31T02:30:00/P1D",
    "R/2000-01-31T02:30:00/P1M",
    "R300/2010-03-28T02:30:00/P1D",
    "R/2004-02-29T00:30:00/P1Y",
    "at 2011-12-31T02:30:00",
]
EXCEPTIONS = ["2011-12-29", "2020-03-29/2020-10-24", "2005-05-05T12:00/2006-06-06", "2030-01-01"]


def specifications(zones: list[str] = ZONES) -> st.SearchStrategy[Specification]:
    return st.builds(
        Specification,
        schedules=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(tuple),
        timezone=st.none() | st.sampled_from(zones),
        exceptions=st.just(()) | st.sets(st.sampled_from(EXCEPTIONS)).map(tuple),
        start=st.none() | st.sampled_from(["1995-01-01", "2011-12-31T02:30"]),
        end=st.none() | st.sampled_from(["2038-01-01", "2031-06-30T12:00"]),
        jitter=st.none() | st.sampled_from(["PT30S", "PT2H"]),
        seed=st.sampled_from(["", "a", "b"]),
    )


@st.composite
def moments(draw: st.DrawFn, specification: Specification) -> datetime:
    """Mostly near a change of the clocks."""
    near = changes(specification.timezone) if specification.timezone else ()
    some = st.datetimes(FIRST, LAST)
    moment = draw(st.sampled_from(near) | some if near else some)
    return moment + draw(st.timedeltas(-2 * DAY, 2 * DAY))


class KindTests(SynchronousTestCase):
    """Every schedule at any moment."""

    @settings(deadline=None, max_examples=150)
    @given(st.data())
    def test_steps_and_jumps(self, data: st.DataObject) -> None:
        """Slots increase; going from slot to slot, looking back and counting all find the same ones."""
        specification = data.draw(specifications())
        schedule = specification.build()
        moment = data.draw(moments(specification))
        stepped: list[datetime] = []
        slot = schedule.first_after(moment)
        while slot is not None and len(stepped) < 12:
            stepped.append(slot)
            slot = schedule.first_after(slot)
        self.assertTrue(all(before < after for before, after in pairwise([moment, *stepped])))
        until = stepped[-1] if stepped else LAST
        self.assertEqual(list(schedule.slots_between(moment, until)), stepped)
        self.assertEqual(schedule.count_between(moment, until), len(stepped))
        for before, after in pairwise(stepped):
            between = before + (after - before) / data.draw(st.integers(1, 9))
            self.assertEqual(schedule.last_until(min(between, after - TICK)), before)
            self.assertEqual(schedule.first_after(min(between, after - TICK)), after)
        if stepped:
            self.assertEqual(schedule.last_until(stepped[0]), stepped[0])
            latest = schedule.last_until(stepped[0] - TICK)
            self.assertTrue(latest is None or schedule.first_after(latest) == stepped[0])

    @settings(deadline=None, max_examples=60)
    @given(st.data())
    def test_counts_add_up(self, data: st.DataObject) -> None:
        """However months are cut in two, no slot is lost or counted twice."""
        specification = data.draw(specifications())
        schedule = specification.build()
        begin = data.draw(moments(specification))
        end = begin + data.draw(st.timedeltas(timedelta(0), 60 * DAY))
        middle = begin + (end - begin) / 3
        whole = schedule.count_between(begin, end)
        self.assertEqual(schedule.count_between(begin, middle) + schedule.count_between(middle, end), whole)
        self.assertEqual(sum(1 for _ in schedule.slots_between(begin, end)), whole)
        self.assertEqual(schedule.count_between(end, begin), 0)

    @patient
    @given(specifications())
    def test_stored_and_read(self, specification: Specification) -> None:
        """What is stored means the same, and so does what the API says, the seed aside."""
        self.assertEqual(Specification.decode(specification.encode()).encode(), specification.encode())
        document = specification.as_document()
        self.assertEqual(Specification.of_job("", "", document).as_document(), document)
        self.assertTrue(parse_schedule(specification.encode()).in_words())

    @patient
    @given(st.data())
    def test_jitter(self, data: st.DataObject) -> None:
        """Jitter puts each slot off by less than it says, by the same each time, and never past the next."""
        specification = data.draw(specifications())
        plain = parse_schedule(
            Specification(specification.schedules, specification.timezone, seed="s").encode()
        )
        jittered = Specification(
            specification.schedules, specification.timezone, jitter="PT10M", seed="s"
        ).build()
        moment = data.draw(moments(specification))
        slots = list(islice(plain.slots_between(moment, LAST), 8))
        if not slots:
            return
        put_off = [jittered.first_after(slot - TICK) for slot in slots]
        for slot, following, found in zip(slots, [*slots[1:], datetime.max], put_off, strict=True):
            assert found is not None
            self.assertTrue(slot <= found < min(following, slot + timedelta(minutes=10)), (slot, found))

    @settings(deadline=None, max_examples=60)
    @given(st.sampled_from(ZONES), st.integers(1990, 2037), st.sampled_from(["R/{}/P1D", "R/{}/P24M"]))
    def test_days_of_intervals(self, name: str, year: int, form: str) -> None:
        """An interval of a day has one slot in each civil day of its zone, at the time of its start."""
        zone = ZoneInfo(name)
        start = datetime(year, 1, 10, 2, 30)
        schedule = parse_schedule(Specification((form.format(start.isoformat()),), name).encode())
        slots = list(schedule.slots_between(start - DAY, datetime(year, 12, 24)))
        if "M" in form:
            self.assertEqual([wall(slot, zone) for slot in slots], [start])
            return
        days = list(days_of(zone, start.date(), start.date() + timedelta(days=len(slots) + 1)))[: len(slots)]
        self.assertEqual([wall(slot, zone).date() for slot in slots], days)


class CalendarTests(SynchronousTestCase):
    """Months and leap days, by the calendar."""

    def assertDates(self, text: str, dates: str) -> None:
        schedule: Schedule = parse_schedule(text)
        slots = islice(schedule.slots_between(datetime(2022, 12, 31, 12), datetime.max), len(dates.split()))
        self.assertEqual(" ".join(str(slot.date()) for slot in slots), dates, text)

    def test_months_and_leap_days(self) -> None:
        """What a month lacks is left out by cron, and is the last day for an interval."""
        for text, dates in {
            "0 0 31 * *": "2023-01-31 2023-03-31 2023-05-31 2023-07-31 2023-08-31",
            "0 0 29 2 *": "2024-02-29 2028-02-29 2032-02-29",
            "0 0 L * *": "2023-01-31 2023-02-28 2023-03-31 2023-04-30",
            "0 0 LW * *": "2023-01-31 2023-02-28 2023-03-31 2023-04-28",
            "0 0 * * 5L": "2023-01-27 2023-02-24",
            "0 0 * * MON#1": "2023-01-02 2023-02-06",
            "0 0 13 * FRI": "2023-01-06 2023-01-13 2023-01-20",
            "0 0 */10 * FRI": "2023-03-31 2023-04-21 2023-07-21",
            "0 0 * 2 MON#5": "2044-02-29",
            "@monthly": "2023-01-01 2023-02-01",
            "@weekly": "2023-01-01 2023-01-08",
            "@yearly": "2023-01-01 2024-01-01",
            "every P1M": "2023-01-01 2023-02-01",
            "every P1W": "2023-01-02 2023-01-09",
            "every P1Y": "2023-01-01 2024-01-01",
            "R/2020-02-29/P1Y": "2023-02-28 2024-02-29 2025-02-28",
        }.items():
            self.assertDates(text, dates)
