"""The table at the end of a chaos."""

from twisted.trial.unittest import SynchronousTestCase

from tests.integration.chaos.plan import Fault, Kind
from tests.integration.chaos.table import table
from tests.integration.chaos.verdict import Breach, Finding, Verdict

FAULTS = (
    Fault(1, "runner 1", Kind.KILL, 2),
    Fault(2, "runner 3", Kind.KILL, 2),
    Fault(3, "broker", Kind.FREEZE, 12),
    Fault(4, "runner 1 > broker", Kind.CUT, 0),
)


class TableTests(SynchronousTestCase):
    def test_faults(self) -> None:
        """Faults are counted by their kinds, and by who had them; a wire is that of its server."""
        lines = [line.split() for line in table(Verdict(), FAULTS, {}).splitlines()]
        self.assertIn(["broker", "1", "1"], lines)
        self.assertIn(["runner", "2", "2"], lines)
        self.assertIn(["to", "broker", "1", "1"], lines)
        self.assertIn(["all", "2", "1", "1", "4"], lines)

    def test_findings(self) -> None:
        """Figures come first, then what is found, each by name; but not without end."""
        verdict = Verdict(slots=7)
        verdict.findings = [Finding(Breach.NO_ROW, f"job {n}") for n in range(30)]
        lines = table(verdict, (), {"seed": 9}).splitlines()
        self.assertEqual([line.split() for line in lines[:2]], [["seed", "9"], ["slots", "expected", "7"]])
        self.assertIn("finding: slot without a row: job 0", lines)
        self.assertEqual(lines[-1], "… and 10 more")
