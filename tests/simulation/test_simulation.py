"""Seeded histories of faults: what a person can rely on holds at the end of each."""

import os
import subprocess
import sys
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from tests.simulation import faults
from tests.simulation.edges import Edge
from tests.simulation.living import live

SEEDS = range(1, 6)
DAYS = 0.5


class SimulationTests(SynchronousTestCase):
    def test_histories(self) -> None:
        """Whatever chance does, each slot has its row, none ran twice, and no result is thrown away."""
        struck, edges = set(), Counter[str]()
        for seed in SEEDS:
            outcome = live(seed, DAYS)
            self.assertEqual(outcome.findings, [], f"make simulate SEED={seed} DAYS={DAYS}")
            struck |= set(outcome.faults)
            edges += outcome.edges
        self.assertGreater(len(struck), 0.8 * len(faults.TOGETHER))
        self.assertEqual(set(edges), set(Edge))

    def test_same_seed(self) -> None:
        """A seed gives the same history, to the letter, in every process."""
        told = [self.replay(hash_seed) for hash_seed in ("1", "2")]
        self.assertIn("all is mended", told[0])
        self.assertEqual(told[0], told[1])

    def replay(self, hash_seed: str) -> str:
        command = [sys.executable, "-m", "tests.simulation", "--seed", "4", "--days", "0.1"]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
        return done.stdout
