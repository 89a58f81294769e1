"""Seeded histories of faults: what a person can rely on holds at the end of each."""

from tests.services.cases import LoggedTestCase
from tests.simulation.chance import repeatable
from tests.simulation.history import History
from tests.simulation.verdict import findings

SEEDS = range(1, 7)
DAYS = 0.5


class SimulationTests(LoggedTestCase):
    def live(self, seed: int, days: float) -> History:
        with repeatable(seed) as chance:
            history = History(seed, days, self.new_folder(), chance)
            history.live()
        return history

    def test_histories(self) -> None:
        """Whatever chance does, each slot has its row, none ran twice, and no result is thrown away."""
        struck = set()
        for seed in SEEDS:
            history = self.live(seed, DAYS)
            found = findings(history)
            self.assertEqual(found, [], "\n".join([f"seed {seed}", *history.told, *found]))
            struck |= set(history.faults)
        self.assertGreater(len(struck), 12)
