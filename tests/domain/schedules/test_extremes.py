"""Schedules at the ends of time: whatever is written and asked, there is an answer or one line of refusal."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.backfilling import Order, slots_to_fill
from cronq.domain.errors import BadDocument
from cronq.domain.pauses import Pause
from cronq.domain.rules import CatchUp, Rules
from cronq.domain.saturating import just_before, shifted
from cronq.domain.schedule_documents import read_specification
from cronq.domain.schedules import Schedule, parse_schedule, previous_slot, step_after
from cronq.domain.schedules.preview import preview
from cronq.domain.settlement import Terms, settle

NOW = datetime(2026, 1, 1)
DAY = timedelta(days=1)

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Pacific/Kiritimati", "Etc/GMT+12",
    "Africa/Monrovia", "Australia/Lord_Howe",
]  # fmt: skip
MOMENTS = [
    datetime.min, datetime.min + datetime.resolution, datetime.min + DAY, datetime(1, 1, 3),
    datetime(999, 12, 31), datetime(1892, 7, 4), datetime(1970, 1, 1), datetime(2011, 12, 30, 10), NOW,
    datetime(9999, 12, 29), datetime.max - DAY, datetime.max - datetime.resolution, datetime.max,
]  # fmt: skip
moments = st.sampled_from(MOMENTS) | st.datetimes()
instants = st.tuples(moments, st.sampled_from(["", "Z", "+14:00", "-12:00", "+23:59", "-23:59"])).map(
    lambda each: f"{each[0].isoformat()}{each[1]}"
)
dates = moments.map(lambda each: f"{each.date()}")
DURATIONS = [
    "PT1S", "PT0.000001S", "PT1H", "P1D", "P1W", "P1M", "P1Y", "P1M1D", "P1DT1S", "P400Y", "P8000Y",
    "P7999Y11M", "P2920000D", "P2921940D", "PT70126560000S", "P999999999D", "P96000M",
]  # fmt: skip
durations = st.sampled_from(DURATIONS)
heads = st.sampled_from(["R", "R1", "R2", "R999999999"])
texts = (
    st.tuples(heads, instants, durations).map("/".join)
    | st.tuples(heads, durations, instants).map("/".join)
    | st.tuples(heads, instants, instants).map("/".join)
    | durations.map("every {}".format)
    | instants.map("at {}".format)
    | st.sampled_from(["* * * * *", "0 0 29 2 *", "30 2 * * *", "59 23 31 12 *", "H H * * *", "@hourly"])
)
keys = st.fixed_dictionaries(
    {"schedule": texts | st.lists(texts, min_size=2, max_size=3)},
    optional={
        "timezone": st.sampled_from(ZONES),
        "except": st.lists(
            moments.map(lambda each: f"{each.date()}") | st.tuples(instants, instants).map("/".join),
            max_size=3,
        ),
        "between": st.fixed_dictionaries({}, optional={"start": instants, "end": instants}),
        "jitter": st.sampled_from(["PT1S", "PT1H", "P1D"]),
    },
)


def read(written: dict[str, Any], *looked_at: datetime) -> Schedule | None:
    """The schedule, looked at from some moments; None when it is refused, with places and in a line each."""
    try:
        specification = read_specification(written, "category", "name")
    except BadDocument as error:
        refused = error.faults
    else:
        for moment in (NOW, *looked_at):
            preview(specification, moment, 3)
        return parse_schedule(specification.encode())
    assert all(fault.place and "\n" not in str(fault) for fault in refused), refused
    return None


class ExtremesTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=500)
    @given(keys, moments, moments)
    @example({"schedule": "at 9999-12-31T23:59:59.999999Z", "timezone": "Pacific/Apia"}, NOW, NOW)
    @example({"schedule": "at 9999-12-31T23:59:59.999999Z", "timezone": "Europe/Berlin"}, NOW, NOW)
    @example({"schedule": "R/0001-01-01T00:00:00Z/P1M", "timezone": "America/New_York"}, NOW, NOW)
    @example({"schedule": "every P8000Y", "timezone": "Pacific/Apia"}, NOW, NOW)
    @example({"schedule": "at 0001-01-01", "jitter": "P1D"}, datetime.min, datetime.min)
    @example({"schedule": "* * * * *"}, datetime.min, NOW)
    @example({"schedule": "@monthly", "timezone": "Europe/Berlin"}, datetime.max, NOW)
    @example({"schedule": "@monthly", "timezone": "America/New_York"}, datetime.min, NOW)
    @example(
        {"schedule": "R/9999-12-31T23:59:59.999998/PT1S", "timezone": "Europe/Berlin"}, datetime.max, NOW
    )
    def test_answers(self, written: dict[str, Any], moment: datetime, other: datetime) -> None:
        """Every question about a schedule that is accepted has an answer, and those agree."""
        schedule = read(written, moment)
        if schedule is None:
            return
        self.assertTrue(schedule.in_words())
        step_after(schedule, moment)
        following, latest = schedule.first_after(moment), schedule.last_until(moment)
        self.assertTrue(following is None or following > moment)
        self.assertTrue(latest is None or latest <= moment)
        if following is not None:
            self.assertEqual(schedule.last_until(following), following)
            self.assertEqual(schedule.last_until(just_before(following)), latest)
            self.assertEqual(previous_slot(schedule, following), latest)
        until = min(shifted(moment, DAY / 8), datetime.max)
        slots = list(schedule.slots_between(moment, until))
        self.assertEqual(schedule.count_between(moment, until), len(slots))
        self.assertEqual(slots[:1], [] if following is None or following > until else [following])
        for order in Order:
            list(islice(slots_to_fill(schedule, moment, until, order, None), 3))
            list(islice(slots_to_fill(schedule, datetime.min, moment, order, other), 3))

    @settings(deadline=None, max_examples=300)
    @given(
        keys,
        moments,
        st.sampled_from(CatchUp),
        st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=2_921_940)),
        st.none() | moments,
        st.none() | moments,
    )
    @example(
        {"schedule": "R/0001-01-01T00:00:00.000001/P1D"}, datetime.min, CatchUp.NONE, None, datetime.min, None
    )
    def test_settlement(
        self,
        written: dict[str, Any],
        now: datetime,
        catch_up: CatchUp,
        deadline: timedelta | None,
        pause: datetime | None,
        skip_slot: datetime | None,
    ) -> None:
        """The books can be closed on it at any time, whatever its rules."""
        schedule = read(written)
        if schedule is None:
            return
        paused = None if pause is None else Pause(pause, "a pause")
        terms = Terms(Rules(catch_up=catch_up, deadline=deadline), paused, skip_slot)
        since = shifted(now, -DAY / 8)
        settlement = settle(schedule, since, now, terms)
        passed = sum(each.count for each in settlement.passed)
        self.assertEqual(passed + len(settlement.slots), schedule.count_between(since, now))
