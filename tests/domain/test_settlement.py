"""What becomes of the slots that are due: which run, and why the others do not."""

from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.deadlines import too_late
from cronq.domain.pauses import FOR_EVER, Pause
from cronq.domain.rules import CatchUp, Rules
from cronq.domain.runs import Status
from cronq.domain.schedules import parse_schedule
from cronq.domain.settlement import MISSED_REASON, Passed, Settlement, Terms, settle

MINUTELY = parse_schedule("R/2026-01-01T00:00:00/PT1M")
TICK = timedelta(microseconds=1)


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 1, 1, hour, minute, second)


def missed(first: datetime, last: datetime, count: int, reason: str = MISSED_REASON) -> Passed:
    return Passed(Status.MISSED, reason, first, last, count)


class SettlementTests(SynchronousTestCase):
    """A job that runs every minute."""

    def test_nothing_is_due(self) -> None:
        """Between two slots there is nothing to do, and the next slot stays the next."""
        self.assertEqual(settle(MINUTELY, at(1, 0), at(1, 0, 30)), Settlement(at(1, 1), at(1, 0, 30)))

    def test_one_slot_is_due(self) -> None:
        """The slot runs, and the next one is due a minute later."""
        self.assertEqual(settle(MINUTELY, at(1, 0), at(1, 1)), Settlement(at(1, 2), at(1, 1), [at(1, 1)]))

    def test_slots_before_the_latest_are_missed(self) -> None:
        """After an outage the latest slot runs, however late, and the others are one entry."""
        self.assertEqual(
            settle(MINUTELY, at(1, 0), at(2, 0, 59)),
            Settlement(at(2, 1), at(2, 0, 59), [at(2, 0)], [missed(at(1, 1), at(1, 59), 59)]),
        )

    def test_one_missed_slot(self) -> None:
        """A single missed slot is its own first and last."""
        self.assertEqual(settle(MINUTELY, at(1, 0), at(1, 2)).passed, [missed(at(1, 1), at(1, 1), 1)])

    def test_a_slot_just_before_and_just_after(self) -> None:
        """A slot belongs to the instant at which it is due, to the microsecond."""
        self.assertEqual(settle(MINUTELY, at(1, 0), at(1, 1) - TICK).slots, [])
        self.assertEqual(settle(MINUTELY, at(1, 1) - TICK, at(1, 1)).slots, [at(1, 1)])
        self.assertEqual(settle(MINUTELY, at(1, 1), at(1, 1)).slots, [])

    def test_the_clock_went_back(self) -> None:
        """What was accounted for stays accounted for, and no slot comes a second time."""
        settlement = settle(MINUTELY, at(3, 0), at(1, 0))
        self.assertEqual(settlement, Settlement(at(3, 1), at(3, 0)))

    def test_start_in_the_future(self) -> None:
        """No slot lies before the start, however near it is."""
        schedule = parse_schedule("R/2026-01-01T00:00:00/PT1H")
        before = datetime(2025, 12, 31, 23, 59)
        self.assertEqual(settle(schedule, datetime(2025, 1, 1), before), Settlement(at(0, 0), before))

    def test_last_repetition(self) -> None:
        """After its last slot a job has no next one."""
        twice = parse_schedule("R2/2026-01-01T00:00:00/PT1M")
        self.assertEqual(
            settle(twice, at(0, 0), at(9, 0)),
            Settlement(None, at(9, 0), [at(0, 1)]),
        )
        self.assertEqual(settle(twice, at(9, 0), at(10, 0)), Settlement(None, at(10, 0)))

    def test_an_outage_of_centuries(self) -> None:
        """Billions of missed slots are counted without being visited."""
        schedule = parse_schedule("R/0001-01-01T00:00:00/PT1S")
        (passed,) = settle(schedule, datetime(1, 1, 1), datetime(9999, 12, 31)).passed
        self.assertEqual(passed.count, int((datetime(9999, 12, 31) - datetime(1, 1, 1)).total_seconds()) - 1)

    def test_the_end_of_time(self) -> None:
        """At the end of the calendar there is no next slot, and no error."""
        schedule = parse_schedule("R/9990-01-01T00:00:00/P1Y")
        settlement = settle(schedule, datetime(9990, 1, 1), datetime.max)
        self.assertEqual((settlement.slots, settlement.next_run), ([datetime(9999, 1, 1)], None))


class PauseTests(SynchronousTestCase):
    """A job that runs every minute, and is paused."""

    def settle(self, end: datetime, now: datetime) -> Settlement:
        return settle(MINUTELY, at(1, 0), now, Terms(pause=Pause(end, "paused: for fun")))

    def skipped(self, first: datetime, last: datetime, count: int) -> Passed:
        return Passed(Status.SKIPPED, "paused: for fun", first, last, count, lasts=True)

    def test_within(self) -> None:
        """What is due is one entry with the reason of the pause, and nothing runs."""
        self.assertEqual(
            self.settle(FOR_EVER, at(1, 3, 30)),
            Settlement(at(1, 4), at(1, 3, 30), [], [self.skipped(at(1, 1), at(1, 3), 3)]),
        )

    def test_ends_by_itself(self) -> None:
        """The slot of the very instant at which it ends runs."""
        settlement = self.settle(at(1, 3), at(1, 3))
        self.assertEqual(
            (settlement.slots, settlement.passed), ([at(1, 3)], [self.skipped(at(1, 1), at(1, 2), 2)])
        )
        self.assertEqual(self.settle(at(1, 3) + TICK, at(1, 3)).slots, [])

    def test_outage_around_the_end(self) -> None:
        """What was paused is skipped, what came afterwards is missed, and the latest runs."""
        settlement = self.settle(at(1, 3), at(1, 6))
        self.assertEqual(settlement.slots, [at(1, 6)])
        self.assertEqual(
            settlement.passed, [self.skipped(at(1, 1), at(1, 2), 2), missed(at(1, 3), at(1, 5), 3)]
        )

    def test_over_long_ago(self) -> None:
        """A pause that has ended before is no matter."""
        self.assertEqual(self.settle(at(0, 30), at(1, 1)).slots, [at(1, 1)])


class SkipTests(SynchronousTestCase):
    """A slot that somebody wants skipped."""

    def settle(self, slot: datetime, now: datetime) -> Settlement:
        return settle(MINUTELY, at(1, 0), now, Terms(skip_slot=slot))

    def test_once(self) -> None:
        """It is skipped, and the one after it runs."""
        (skipped,) = self.settle(at(1, 1), at(1, 1)).passed
        self.assertEqual((skipped.status, skipped.first, skipped.count), (Status.SKIPPED, at(1, 1), 1))
        self.assertEqual(self.settle(at(1, 1), at(1, 2)).slots, [at(1, 2)])

    def test_not_yet(self) -> None:
        """Before it is due, all goes on."""
        self.assertEqual(self.settle(at(1, 5), at(1, 1)).slots, [at(1, 1)])

    def test_no_slot(self) -> None:
        """An instant that is no slot any more skips nothing."""
        settlement = self.settle(at(1, 0, 30), at(1, 1))
        self.assertEqual((settlement.slots, settlement.passed), ([at(1, 1)], []))


class CatchUpTests(SynchronousTestCase):
    """A job that runs every minute, after a time in which no injector was there."""

    def settle(self, now: datetime, **rules: Any) -> Settlement:
        return settle(MINUTELY, at(1, 0), now, Terms(Rules(**rules)))

    def test_none(self) -> None:
        """What could be taken within a minute runs, to the microsecond; all else is missed."""
        none = {"catch_up": CatchUp.NONE}
        self.assertEqual(self.settle(at(1, 1, 59), **none).slots, [at(1, 1)])
        hourly = parse_schedule("R/2026-01-01T00:00:00/PT1H")
        terms = Terms(Rules(catch_up=CatchUp.NONE))
        self.assertEqual(settle(hourly, at(0, 30), at(1, 1), terms).slots, [at(1, 0)])
        settlement = settle(hourly, at(0, 30), at(1, 1) + TICK, terms)
        reason = "no injector claimed it within a minute"
        self.assertEqual((settlement.slots, settlement.passed), ([], [missed(at(1, 0), at(1, 0), 1, reason)]))

    def test_all(self) -> None:
        """Every slot runs, in order, and nothing is missed."""
        settlement = self.settle(at(1, 4, 30), catch_up=CatchUp.ALL)
        self.assertEqual((settlement.slots, settlement.passed), ([at(1, n) for n in (1, 2, 3, 4)], []))

    def test_limit(self) -> None:
        """The latest that fit run, and those before are missed."""
        settlement = self.settle(at(1, 10), catch_up=CatchUp.ALL, catch_up_limit=3)
        self.assertEqual(settlement.slots, [at(1, n) for n in (8, 9, 10)])
        reason = "more were due than the 3 that are caught up"
        self.assertEqual(settlement.passed, [missed(at(1, 1), at(1, 7), 7, reason)])
        self.assertEqual(len(self.settle(at(1, 3), catch_up=CatchUp.ALL, catch_up_limit=3).slots), 3)

    def test_deadline(self) -> None:
        """A slot is missed as soon as its deadline has passed, and not at the deadline itself."""
        rules = {"deadline": timedelta(minutes=5)}
        hourly, late = parse_schedule("R/2026-01-01T00:00:00/PT1H"), too_late(timedelta(minutes=5))
        self.assertEqual(late, "it had not started 5 minutes after it was due, which is its deadline")
        self.assertEqual(settle(hourly, at(0, 30), at(1, 5), Terms(Rules(**rules))).slots, [at(1, 0)])  # type: ignore[arg-type]
        settlement = settle(hourly, at(0, 30), at(1, 5) + TICK, Terms(Rules(**rules)))  # type: ignore[arg-type]
        self.assertEqual((settlement.slots, settlement.passed), ([], [missed(at(1, 0), at(1, 0), 1, late)]))

    def test_deadline_and_all(self) -> None:
        """Of all that are caught up, those past their deadline are not."""
        settlement = self.settle(at(1, 10), catch_up=CatchUp.ALL, deadline=timedelta(minutes=2))
        self.assertEqual(settlement.slots, [at(1, n) for n in (8, 9, 10)])


starts = st.datetimes(datetime(2020, 1, 1), datetime(2020, 2, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)
durations = st.sampled_from(["PT1S", "PT7M", "PT1H", "P1D", "P1W", "P1M", "P1M1D"])
counts = st.sampled_from(["", "1", "2", "5"])
spans = st.none() | st.timedeltas(timedelta(seconds=1), timedelta(days=40))
all_rules = st.builds(
    Rules, catch_up=st.sampled_from(CatchUp), catch_up_limit=st.integers(1, 5), deadline=spans
)
all_terms = st.builds(
    Terms,
    all_rules,
    st.none()
    | st.builds(Pause, st.datetimes(datetime(2019, 12, 1), datetime(2020, 6, 1)), st.just("paused")),
    st.none() | starts,
)
moment = st.datetimes(datetime(2019, 12, 1), datetime(2020, 6, 1))


class AccountTests(SynchronousTestCase):
    """However often, and by whatever clock, the books are closed."""

    @given(starts, durations, counts, st.lists(st.tuples(moment, all_terms), min_size=1, max_size=12))
    def test_every_slot_is_accounted_for_once(
        self, start: datetime, duration: str, count: str, clock: list[tuple[datetime, Terms]]
    ) -> None:
        """Whatever the rules, the slots that ran and those that did not are all that fell due, each once."""
        schedule = parse_schedule(f"R{count}/{start.isoformat()}/{duration}")
        began = settled = datetime(2019, 12, 1)
        found, hidden = list[datetime](), 0
        for now, terms in clock:
            settlement = settle(schedule, settled, now, terms)
            self.assertGreaterEqual(settlement.settled_until, settled)
            settled = settlement.settled_until
            for each in settlement.passed:
                self.assertEqual(schedule.count_between(each.first - TICK, each.last), each.count)
                found += [each.first, each.last] if each.count > 1 else [each.first]
                hidden += max(0, each.count - 2)
            found += settlement.slots
            self.assertEqual(settlement.next_run, schedule.first_after(settled))
        self.assertEqual(found, sorted(set(found)))
        self.assertEqual(len(found) + hidden, schedule.count_between(began, settled))
