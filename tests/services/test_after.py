"""Jobs that run after others: over all daemons, whichever of them records what."""

from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import Rules
from tests.services.cases import WorldTestCase, once


class AfterTests(WorldTestCase):
    def test_chain(self) -> None:
        """With two results daemons each job follows once, as soon as the last of those before it is done."""
        self.world.start_results()
        self.world.start_results("results.2")
        self.world.start_injector(republish_interval=1.0)
        self.world.start_runner()
        self.world.put(
            *(once(f"extract {n}", f"{10 + n % 2} s") for n in range(3)),
            JobDefinition("load", None, "20 s", rules=Rules(after=tuple(f"extract {n}" for n in range(3)))),
            JobDefinition("report", None, "5 s", rules=Rules(after=("load",))),
        )
        self.world.run_for(200)
        self.assertEqual(self.statuses(), {"succeeded": 5})
        started = [(start.environment["CRONQ_JOB_NAME"], start.at.second) for start in self.starts[3:]]
        self.assertEqual([name for name, _ in started], ["load", "report"])
        self.assertEqual({start.environment["CRONQ_SLOT"] for start in self.starts}, {"2026-01-01T00:01:00Z"})
        self.assert_audit_clean()
