"""Jobs whose slots are put off by jitter, on any database."""

from datetime import datetime, timedelta
from typing import Any

from cronq.database.access_tables import changes
from cronq.database.outbox import claim_unpublished
from cronq.database.pausing import skip_next
from cronq.database.tables import definitions, jobs, runs
from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import AfterSame, Rules
from cronq.domain.schedules import parse_schedule
from tests.database.ruling import RulingCase
from tests.database.store import at, job

PLAIN = "R/2026-01-01T00:10:00Z/P1D"


def daily(seed: str, time: str = "00:10", jitter: str = "PT1H") -> str:
    """A schedule that has one slot a day."""
    return f'{{"jitter":"{jitter}","schedule":"R/2026-01-01T{time}:00Z/P1D","seed":"{seed}"}}'


def slot_of(schedule: str, moment: datetime) -> datetime:
    """Where jitter puts the slot of that moment."""
    slot = parse_schedule(schedule).slot_with_jitter(moment)
    assert slot is not None
    return slot


class AfterTests(RulingCase):
    """Jobs that run after others."""

    def succeed(self, run_id: str) -> None:
        self.ask(run_id)
        self.end(run_id)

    def of(self, name: str) -> list[tuple[Any, ...]]:
        rows = self.rows(runs, job_id=self.row(jobs, name=name)["id"])
        return [(row["slot"], row["status"], row["cause"]) for row in rows]

    def test_same_slot(self) -> None:
        """Jobs that only their jitter has put off by different times have run for the same slot."""
        a, b, own = daily("a"), daily("b"), daily("own")
        self.assertEqual(len({slot_of(text, at(0, 10)) for text in (a, b, own)}), 3)
        last = JobDefinition("last", None, "true", rules=Rules(after=("a", "b")))
        self.put(
            job("a", a),
            job("b", b),
            last,
            job("own", own, rules=Rules(after=("a", "b"))),
            JobDefinition("chained", None, "true", rules=Rules(after=("a", "last"))),
        )
        self.now = at(2)
        first = {run.name: run.run_id for run in self.claim().publications}
        self.succeed(first["a"])
        self.assertEqual(self.of("last"), [])
        self.succeed(first["b"])
        self.assertEqual(self.of("last"), [(at(0, 10), "queued", "after")])
        self.assertEqual(self.of("own"), [(slot_of(own, at(0, 10)), "queued", None)])
        (run,) = [run for run in self.do(claim_unpublished, 9) if run.name == "last"]
        self.succeed(run.run_id)
        self.assertEqual(self.of("chained"), [(at(0, 10), "queued", "after")])
        self.assertEqual(self.audit(), [])

    def test_same_day(self) -> None:
        """A slot that jitter has put off past midnight is one of the day before."""
        a, b = daily("a"), daily("late", "23:58")
        self.assertEqual(slot_of(b, at(23, 58)).day, 2)
        last = JobDefinition("last", None, "true", rules=Rules(after=("a", "b"), after_same=AfterSame.DAY))
        self.put(job("a", a), job("b", b), last)
        for self.now in at(2), at(1).replace(day=2):
            for run in self.claim().publications:
                self.succeed(run.run_id)
        self.assertEqual(self.of("last"), [(at(0), "queued", "after")])


class ChangeTests(RulingCase):
    """A document that changes a job after its slot was due, but for jitter."""

    def setUp(self) -> None:
        super().setUp()
        self.hour, self.more, self.other = daily("a"), daily("a", jitter="PT3H"), daily("b", jitter="PT3H")
        self.assertEqual(len({slot_of(text, at(0, 10)) for text in (self.hour, self.more, self.other)}), 3)
        self.assertGreater(slot_of(self.hour, at(0, 10)), at(0, 12))

    def live(self, *schedules: str | None) -> list[datetime]:
        """Each takes the place of the one before, from 00:10:20 on; None: it is removed. Gives all slots."""
        category = " ".join(map(str, schedules))
        self.now = at(0)
        for moment, schedule in enumerate(schedules):
            self.run_due()
            self.put(*([] if schedule is None else [job("a", schedule)]), category=category)
            self.now = at(0, 10, 20) + timedelta(seconds=20 * moment)
        for self.now in at(1, 10), at(4), at(4).replace(day=2):
            self.run_due()
        self.assertEqual(self.audit(), [])
        return [row["slot"] for row in self.rows(runs, job_id=self.rows(jobs)[-1]["id"])]

    def run_due(self) -> None:
        """All that is due, and what the changes have made of it, succeeds."""
        self.claim()
        for row in self.rows(runs, status="queued"):
            self.ask(row["run_id"])
            self.end(row["run_id"])

    def test_once(self) -> None:
        """What was due runs once that day, by the schedule that was there then, and once the next day."""
        next_day = at(0, 10).replace(day=2)
        hour, more, other = self.hour, self.more, self.other
        for schedules in (
            (PLAIN, hour),
            (hour, PLAIN),
            (hour, more),
            (more, hour),
            (hour, other),
            (PLAIN, hour, more, PLAIN),
            (other, PLAIN, hour),
            (PLAIN, None, hour),
            (more, None, PLAIN),
            (more, None, more),
        ):
            with self.subTest(schedules):
                first, last = schedules[0], schedules[-1]
                assert first is not None
                assert last is not None
                expected = [slot_of(first, at(0, 10)), slot_of(last, next_day)]
                self.assertEqual(self.live(*schedules), expected)

    def test_another_time(self) -> None:
        """Slots that the new schedule has meanwhile do not wait for it."""
        slots = self.live(self.more, "R/2026-01-01T00:15:00Z/P1D")
        self.assertEqual(slots, sorted([slot_of(self.more, at(0, 10)), at(0, 15), at(0, 15).replace(day=2)]))

    def test_runs_as_the_document_says(self) -> None:
        """It runs with the command that is there by then; the same document again is no change."""
        self.put(job("a", self.hour))
        self.now = at(0, 10, 20)
        for _ in range(2):
            self.put(job("a", PLAIN, "false"))
        self.assertEqual(len(self.rows(definitions)), 2)
        self.now = at(0, 10, 30)
        self.put(job("a", PLAIN, "date"))
        self.assertNotIn("schedule", str(self.rows(changes)[-1]["after"]))
        self.now = at(1, 10)
        (run,) = self.claim().publications
        self.assertEqual((run.slot, run.command), (slot_of(self.hour, at(0, 10)), "date"))

    def test_skipped(self) -> None:
        """Who wants the next slot skipped means this one."""
        self.put(job("a", self.hour))
        self.now = at(0, 10, 20)
        self.do(skip_next, self.row(jobs)["id"])
        self.put(job("a", PLAIN))
        self.now = at(4)
        self.claim()
        (row,) = self.rows(runs)
        self.assertEqual((row["slot"], row["status"]), (slot_of(self.hour, at(0, 10)), "skipped"))
        self.assertEqual(self.audit(), [])

    def test_followed(self) -> None:
        """Who runs after such jobs runs for the time without jitter."""
        after = JobDefinition("last", None, "true", rules=Rules(after=("a", "b")))
        self.put(job("a", self.hour), job("b", self.more), after)
        self.now = at(0, 10, 20)
        self.put(job("a", PLAIN), job("b", self.hour), after)
        self.now = at(4)
        self.run_due()
        row = self.rows(runs)[-1]
        self.assertEqual((row["slot"], row["cause"], self.audit()), (at(0, 10), "after", []))
