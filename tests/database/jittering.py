"""Jobs whose slots are put off by jitter, on any database."""

from datetime import datetime
from typing import Any

from cronq.database.outbox import claim_unpublished
from cronq.database.tables import jobs, runs
from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import AfterSame, Rules
from cronq.domain.schedules import parse_schedule
from tests.database.ruling import RulingCase
from tests.database.store import at, job


def daily(seed: str, at: str = "00:10", jitter: str = "PT1H") -> str:
    """A schedule that has one slot a day."""
    return f'{{"jitter":"{jitter}","schedule":"R/2026-01-01T{at}:00Z/P1D","seed":"{seed}"}}'


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
