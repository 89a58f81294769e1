"""What comes first when more is due than fits."""

from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import Rules
from tests.services.cases import WorldTestCase


class PriorityTests(WorldTestCase):
    def test_full_runner(self) -> None:
        """When a runner has room for one at a time, what matters most is done first."""
        self.world.start_results()
        self.world.start_injector()
        names = {"low": 0, "high": 9, "middle": 5}
        self.world.put(
            *(
                JobDefinition(name, "R1/2026-01-01T00:01:00Z/P1D", "10 s", rules=Rules(priority=priority))
                for name, priority in names.items()
            )
        )
        self.world.run_for(70)
        self.world.start_runner(concurrency=1)
        self.world.run_for(60)
        self.assertEqual(
            [start.environment["CRONQ_JOB_NAME"] for start in self.starts], ["high", "middle", "low"]
        )
