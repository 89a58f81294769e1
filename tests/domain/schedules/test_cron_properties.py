"""What holds for every cron expression in every zone from 1990 to 2040, by the clock and the calendar."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.schedules import Schedule
from cronq.domain.schedules.text import parse_text
from cronq.domain.zones import find_zone
from tests.domain.schedules.calendar import (
    DAY,
    FIRST,
    LAST,
    ZONES,
    Match,
    changes,
    days_of,
    punctual,
    wall,
    watched,
)

TICK = datetime.resolution
HOUR = timedelta(hours=1)
#: The machine may be busy: nothing here depends on how long an example takes.
patient = settings(deadline=None)


@st.composite
def moments_near_changes(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a moment at which its clocks change, or somewhere else."""
    zone = draw(st.sampled_from(ZONES))
    some = st.datetimes(FIRST, LAST)
    near = changes(zone)
    moment = draw(st.sampled_from(near) | some if near else some)
    return zone, moment + draw(st.timedeltas(-2 * HOUR, 2 * HOUR) | st.just(timedelta(0)))


@st.composite
def fields(draw: st.DrawFn) -> tuple[str, Match]:
    """Minutes and hours of an expression, and what they mean."""
    minutes = draw(st.sets(st.integers(0, 59), min_size=1, max_size=3))
    hours = draw(st.sets(st.integers(0, 23), min_size=1, max_size=8))
    step, hourly = draw(st.integers(1, 40)), draw(st.integers(1, 7))
    some_minutes, some_hours = (",".join(map(str, sorted(each))) for each in (minutes, hours))
    kinds: list[tuple[str, Match]] = [
        (f"{some_minutes} {some_hours}", lambda at: at.minute in minutes and at.hour in hours),
        (f"{some_minutes} 0-23/{hourly}", lambda at: at.minute in minutes and at.hour % hourly == 0),
        (f"{some_minutes} */{hourly}", lambda at: at.minute in minutes and at.hour % hourly == 0),
        (f"{some_minutes} *", lambda at: at.minute in minutes),
        (f"*/{step} {some_hours}", lambda at: at.minute % step == 0 and at.hour in hours),
        (f"*/{step} *", lambda at: at.minute % step == 0),
    ]
    return draw(st.sampled_from(kinds))


@st.composite
def days(draw: st.DrawFn) -> tuple[str, Match]:
    """The fields for days and months, and what they mean; every day more often than not."""
    day, month, weekday = draw(st.integers(1, 28)), draw(st.integers(1, 12)), draw(st.integers(0, 6))
    kinds: list[tuple[str, Match]] = [
        ("* * *", lambda _: True),
        ("* * *", lambda _: True),
        (f"* * {weekday}", lambda at: at.isoweekday() % 7 == weekday),
        (f"{day}-31 * *", lambda at: at.day >= day),
        (f"* {month} *", lambda at: at.month == month),
        (f"{day} * {weekday}", lambda at: at.day == day or at.isoweekday() % 7 == weekday),
        (f"*/2 * {weekday}", lambda at: at.day % 2 == 1 and at.isoweekday() % 7 == weekday),
        ("L * *", lambda at: (at + DAY).day == 1),
    ]
    return draw(st.sampled_from(kinds))


def cron(text: str, zone: str) -> Schedule:
    return parse_text(text, find_zone(zone))


class ClockTests(SynchronousTestCase):
    """Slots, and what somebody with a clock finds."""

    @settings(deadline=None, max_examples=150)
    @given(moments_near_changes(), fields(), days())
    def test_agree_with_the_clock(
        self, near: tuple[str, datetime], time: tuple[str, Match], day: tuple[str, Match]
    ) -> None:
        """The slots of three days are those that somebody finds who looks at the clock each minute."""
        zone, moment = near
        schedule = cron(f"{time[0]} {day[0]}", zone)
        after, until = moment - DAY, moment + 2 * DAY
        look = watched if "*" in (time[0][0], time[0].split()[1][0]) else punctual
        expected = look(lambda at: time[1](at) and day[1](at), ZoneInfo(zone), after, until)
        self.assertEqual(list(schedule.slots_between(after, until)), expected)
        self.assertEqual(schedule.count_between(after, until), len(expected))
        following = [slot for slot in expected if slot > moment]
        if following:
            self.assertEqual(schedule.first_after(moment), following[0])
        latest = [slot for slot in expected if slot <= moment]
        if latest:
            self.assertEqual(schedule.last_until(moment), latest[-1])

    def test_daily_in_every_zone(self) -> None:
        """In every zone, around each change of its clocks, a daily job has exactly one slot a civil day."""
        for name in ZONES:
            zone = ZoneInfo(name)
            for change in changes(name):
                # The first time that is skipped or shown twice, told in the minute before it.
                shown = max(wall(change, zone), wall(change - TICK, zone) + TICK) - timedelta(minutes=1)
                schedule = cron(f"{shown.minute} {shown.hour} * * *", name)
                slots = list(schedule.slots_between(change - 2 * DAY, change + 2 * DAY))
                first, last = wall(change - 2 * DAY, zone), wall(change + 2 * DAY, zone)
                expected = [
                    day
                    for day in days_of(zone, first.date(), last.date())
                    if first < datetime.combine(day, shown.time()) <= last
                ]
                self.assertEqual(len(slots), len(expected), (name, change, slots))
                at = [
                    day for day, slot in zip(expected, slots, strict=True) if wall(slot, zone).date() != day
                ]
                # Where the clocks jump from before midnight to the next day, that is right after it.
                self.assertIn(at, ([], [wall(change - TICK, zone).date()]), (name, change))

    @patient
    @given(st.sampled_from(ZONES), st.integers(1990, 2039), st.integers(0, 23), st.integers(0, 59))
    def test_daily_through_a_year(self, name: str, year: int, hour: int, minute: int) -> None:
        """A daily job has as many slots in a year as the year has days in its zone."""
        zone = ZoneInfo(name)
        begin = datetime(year, 6, 15) - timedelta(days=366)
        days = list(days_of(zone, wall(begin, zone).date() + DAY, wall(begin, zone).date() + 365 * DAY))
        schedule = cron(f"{minute} {hour} * * *", name)
        slots = list(islice(schedule.slots_between(begin, datetime.max), len(days) + 1))
        self.assertTrue(all(one < other for one, other in pairwise(slots)))
        found = {wall(slot, zone).date() for slot in slots}
        self.assertGreaterEqual(len(found & set(days)), len(days) - 1)

    @patient
    @given(moments_near_changes())
    def test_hourly_never_pauses(self, near: tuple[str, datetime]) -> None:
        """An hourly job runs in each hour that passes, be it 23 or 25 of them a day."""
        zone, moment = near
        slots = list(cron("0 * * * *", zone).slots_between(moment, moment + 3 * DAY))
        self.assertTrue(all(HOUR / 2 <= after - before <= HOUR * 3 / 2 for before, after in pairwise(slots)))

    @patient
    @given(st.sampled_from(ZONES), fields(), days(), st.datetimes(FIRST, LAST))
    def test_agree_with_cronsim(
        self, name: str, time: tuple[str, Match], day: tuple[str, Match], moment: datetime
    ) -> None:
        """Far from any change of the clocks, the next slots are those of cronsim."""
        zone, text = ZoneInfo(name), f"{time[0]} {day[0]}"
        if any(abs(change - moment) < 40 * DAY for change in changes(name)):
            return
        sim = CronSim(text, moment.replace(tzinfo=UTC).astimezone(zone))
        theirs = [slot.astimezone(UTC).replace(tzinfo=None) for slot in islice(sim, 3)]
        ours = list(islice(cron(text, name).slots_between(moment, datetime.max), 3))
        soon = moment + 30 * DAY
        self.assertEqual([slot for slot in ours if slot < soon], [slot for slot in theirs if slot < soon])
