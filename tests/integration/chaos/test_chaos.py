"""All is killed, frozen, restarted and cut off while jobs run and change: no slot is lost, none runs twice.

`make chaos MINUTES=2 SEED=7 KEEP=folder` sets the variables. Without them it is a small one, always alike.
"""

import os
import random
import time
from pathlib import Path

from tests.integration.chaos.case import ChaosCase
from tests.integration.chaos.plan import Scale, make_plan
from tests.integration.chaos.table import table
from tests.integration.chaos.verdict import judge

SMALL = Scale(seconds=36, jobs=40, jobs_in_category=10, change_every=1.5)


class ChaosTests(ChaosCase):
    def setUp(self) -> None:
        super().setUp()
        self.minutes = float(os.environ.get("CHAOS_MINUTES") or 0)
        any_seed = random.randrange(10**6) if self.minutes else 1
        self.seed = int(os.environ.get("CHAOS_SEED") or any_seed)
        self.kept = os.environ.get("CHAOS_KEEP")
        self.begun = time.monotonic()

    def test_chaos(self) -> None:
        """After any trouble the ledger, the documents and what really ran agree."""
        plan = make_plan(self.seed, Scale(self.minutes * 60, jobs=200) if self.minutes else SMALL)
        self.start_everything()
        author, trouble = self.endure(plan, self.tell)
        if self.kept:
            self.keep(Path(self.kept))
        verdict = judge(self.gathered(author))
        figures = {
            "seed": self.seed,
            "documents": len(author.replacements),
            "asked by hand": len(author.asked),
            "would not stop": trouble.stubborn,
        }
        print(f"\n{table(verdict, trouble.struck, figures)}")  # noqa: T201
        self.assertEqual(verdict.findings, [])
        code, said = self.audit()
        self.assertEqual(code, 0, said)
        self.assertEqual(trouble.misbehaviour, [])
        self.assertEqual(self.tracebacks()[:1], [])

    def tell(self, happening: str) -> None:
        """In a long one, say what happens while it does."""
        if self.minutes:
            print(f"{time.monotonic() - self.begun:7.1f} s  {happening}", flush=True)  # noqa: T201
