"""What becomes of the slots that are due: one runs, and the others are written down as missed."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.schedules import parse_schedule
from cronq.domain.settlement import Missed, Settlement, settle

MINUTELY = parse_schedule("R/2026-01-01T00:00:00/PT1M")
TICK = timedelta(microseconds=1)


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 1, 1, hour, minute, second)


class SettlementTests(SynchronousTestCase):
    """A job that runs every minute."""

    def test_nothing_is_due(self) -> None:
        """Between two slots there is nothing to do, and the next slot stays the next."""
        self.assertEqual(
            settle(MINUTELY, at(1, 0), at(1, 0, 30)), Settlement(None, None, at(1, 1), at(1, 0, 30))
        )

    def test_one_slot_is_due(self) -> None:
        """The slot runs, and the next one is due a minute later."""
        self.assertEqual(settle(MINUTELY, at(1, 0), at(1, 1)), Settlement(at(1, 1), None, at(1, 2), at(1, 1)))

    def test_slots_before_the_latest_are_missed(self) -> None:
        """After an outage the latest slot runs, however late, and the others are one entry."""
        self.assertEqual(
            settle(MINUTELY, at(1, 0), at(2, 0, 59)),
            Settlement(at(2, 0), Missed(at(1, 1), at(1, 59), 59), at(2, 1), at(2, 0, 59)),
        )

    def test_one_missed_slot(self) -> None:
        """A single missed slot is its own first and last."""
        self.assertEqual(settle(MINUTELY, at(1, 0), at(1, 2)).missed, Missed(at(1, 1), at(1, 1), 1))

    def test_a_slot_just_before_and_just_after(self) -> None:
        """A slot belongs to the instant at which it is due, to the microsecond."""
        self.assertIsNone(settle(MINUTELY, at(1, 0), at(1, 1) - TICK).slot)
        self.assertEqual(settle(MINUTELY, at(1, 1) - TICK, at(1, 1)).slot, at(1, 1))
        self.assertIsNone(settle(MINUTELY, at(1, 1), at(1, 1)).slot)

    def test_the_clock_went_back(self) -> None:
        """What was accounted for stays accounted for, and no slot comes a second time."""
        settlement = settle(MINUTELY, at(3, 0), at(1, 0))
        self.assertEqual(settlement, Settlement(None, None, at(3, 1), at(3, 0)))

    def test_start_in_the_future(self) -> None:
        """No slot lies before the start, however near it is."""
        schedule = parse_schedule("R/2026-01-01T00:00:00/PT1H")
        before = datetime(2025, 12, 31, 23, 59)
        self.assertEqual(
            settle(schedule, datetime(2025, 1, 1), before), Settlement(None, None, at(0, 0), before)
        )

    def test_last_repetition(self) -> None:
        """After its last slot a job has no next one."""
        twice = parse_schedule("R2/2026-01-01T00:00:00/PT1M")
        self.assertEqual(
            settle(twice, at(0, 0), at(9, 0)),
            Settlement(at(0, 1), None, None, at(9, 0)),
        )
        self.assertEqual(settle(twice, at(9, 0), at(10, 0)), Settlement(None, None, None, at(10, 0)))

    def test_an_outage_of_centuries(self) -> None:
        """Billions of missed slots are counted without being visited."""
        schedule = parse_schedule("R/0001-01-01T00:00:00/PT1S")
        missed = settle(schedule, datetime(1, 1, 1), datetime(9999, 12, 31)).missed
        assert missed is not None
        self.assertEqual(missed.count, int((datetime(9999, 12, 31) - datetime(1, 1, 1)).total_seconds()) - 1)

    def test_the_end_of_time(self) -> None:
        """At the end of the calendar there is no next slot, and no error."""
        schedule = parse_schedule("R/9990-01-01T00:00:00/P1Y")
        settlement = settle(schedule, datetime(9990, 1, 1), datetime.max)
        self.assertEqual((settlement.slot, settlement.next_run), (datetime(9999, 1, 1), None))


starts = st.datetimes(datetime(2020, 1, 1), datetime(2020, 2, 1)).map(
    lambda moment: moment.replace(microsecond=0)
)
durations = st.sampled_from(["PT1S", "PT7M", "PT1H", "P1D", "P1W", "P1M", "P1M1D"])
counts = st.sampled_from(["", "1", "2", "5"])
moments = st.lists(st.datetimes(datetime(2019, 12, 1), datetime(2020, 6, 1)), min_size=1, max_size=12)


class AccountTests(SynchronousTestCase):
    """However often, and by whatever clock, the books are closed."""

    @given(starts, durations, counts, moments)
    def test_every_slot_is_accounted_for_once(
        self, start: datetime, duration: str, count: str, clock: list[datetime]
    ) -> None:
        """The slots that ran and the ones that were missed are all that fell due, each once."""
        schedule = parse_schedule(f"R{count}/{start.isoformat()}/{duration}")
        began = settled = datetime(2019, 12, 1)
        ran, missed = [], 0
        for now in clock:
            settlement = settle(schedule, settled, now)
            self.assertGreaterEqual(settlement.settled_until, settled)
            settled = settlement.settled_until
            ran += [settlement.slot] if settlement.slot else []
            if settlement.missed:
                each = settlement.missed
                self.assertEqual(schedule.count_between(each.first - TICK, each.last), each.count)
                missed += each.count
            self.assertEqual(settlement.next_run, schedule.first_after(settled))
        self.assertEqual(ran, sorted(set(ran)))
        self.assertEqual(len(ran) + missed, schedule.count_between(began, settled))
