"""What becomes of slots that jitter has put off when the schedule of a job changes."""

import json
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.schedules import (
    Schedule,
    Specification,
    parse_schedule,
    text_in_place_of,
    text_of_document,
)

BEGIN = datetime(2026, 1, 1)
HOUR = timedelta(hours=1)
TICK = datetime.resolution
TEXTS = ["0 * * * *", "30 */2 * * *", "*/20 * * * *", "every PT7M", "10 0 * * *"]


def texts() -> st.SearchStrategy[str]:
    specifications = st.builds(
        Specification,
        schedules=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=2, unique=True).map(tuple),
        jitter=st.none() | st.sampled_from(["PT5M", "PT1H", "P1D"]),
        seed=st.sampled_from(["a", "b"]),
    )
    return specifications.map(Specification.encode)


def changes() -> st.SearchStrategy[list[tuple[datetime, str]]]:
    """Texts, and from when on each of them says what is due."""
    moments = st.integers(0, 2 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
    lists = st.lists(st.tuples(moments, texts()), min_size=1, max_size=8, unique_by=lambda change: change[0])
    return lists.map(sorted)


def parts_of(found: list[tuple[datetime, str]]) -> list[tuple[datetime, datetime, str]]:
    """Each text with the time from which on it holds, and until when."""
    ends = [*(moment for moment, _ in found[1:]), BEGIN + 96 * HOUR]
    return [(moment, until, text) for (moment, text), until in zip(found, ends, strict=True)]


class ReplacingTests(SynchronousTestCase):
    """One schedule in place of another."""

    @settings(deadline=None, max_examples=100)
    @given(changes())
    def test_each_once(self, found: list[tuple[datetime, str]]) -> None:
        """Whatever changes and when, each slot comes once by its time without jitter, and none is lost."""
        wanted: list[datetime] = []
        came: list[tuple[datetime, datetime]] = []
        old: Schedule | None = None
        for since, until, text in parts_of(found):
            plain = Specification.decode(text)
            stored = text if old is None else text_in_place_of(old, text, since, since)
            self.assertEqual(text_of_document(stored), text)
            self.assertEqual(Specification.decode(stored).as_document(), plain.as_document())
            schedule = parse_schedule(stored)
            without = Specification(plain.schedules, seed=plain.seed).build()
            wanted += without.slots_between(since, until)
            came += (
                (slot, schedule.slot_before_jitter(slot)) for slot in schedule.slots_between(since, until)
            )
            old = schedule
        assert old is not None
        came += ((slot, old.slot_before_jitter(slot)) for slot in old.put_off_past(until))
        # What the first one has put off past its beginning is of the time before.
        begin = found[0][0]
        self.assertEqual(sorted(before for _, before in came if before > begin), wanted)

    @settings(deadline=None, max_examples=100)
    @given(texts(), texts(), st.integers(0, 24 * 60))
    def test_is_a_schedule(self, old: str, new: str, minute: int) -> None:
        """Stepping, jumping, listing and counting find the same slots, as in any schedule."""
        change = BEGIN + timedelta(minutes=minute)
        schedule = parse_schedule(text_in_place_of(parse_schedule(old), new, change, change))
        begin, end = change - HOUR, change + 30 * HOUR
        slots = list(schedule.slots_between(begin, end))
        stepped, slot = [], schedule.first_after(begin)
        while slot is not None and slot <= end:
            stepped.append(slot)
            slot = schedule.first_after(slot)
        self.assertEqual(stepped, slots)
        for number, (before, after) in enumerate(pairwise(slots)):
            self.assertEqual(schedule.last_until(after - TICK), before)
            self.assertEqual(schedule.count_between(begin, after - TICK), number + 1)
        for slot in slots:
            self.assertLess(slot - schedule.slot_before_jitter(slot), schedule.jitter or TICK)
            if slot > change:
                self.assertIn(schedule.slot_with_jitter(schedule.slot_before_jitter(slot)), slots)

    @settings(deadline=None)
    @given(texts(), st.integers(0, 24 * 60))
    def test_the_same(self, text: str, minute: int) -> None:
        """A schedule in place of itself is itself."""
        change = BEGIN + timedelta(minutes=minute)
        self.assertEqual(text_in_place_of(parse_schedule(text), text, change, change), text)

    def test_unreadable(self) -> None:
        """What somebody has written into the database is left as it is."""
        for text in (None, "nonsense", '{"handover":3,"schedule":"@hourly"}', '{"handover":'):
            self.assertEqual(text_of_document(text), text)
        bad = {"schedule": "@hourly", "handover": {"carried": {"soon": "later"}, "left_out": []}}
        self.assertEqual(text_of_document(json.dumps(bad)), json.dumps(bad))
