"""A scenario from end to end, on real servers and with real daemons, in its quick form."""

import io
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.__main__ import main
from bench.record import Record


class ScenarioTests(SynchronousTestCase):
    """The benchmark is alive."""

    def test_quick_run(self) -> None:
        """It measures the limit and cronq, prints and keeps both, and names neither machine nor folder."""
        folder, said = Path(self.mktemp()), io.StringIO()
        with redirect_stdout(said), redirect_stderr(io.StringIO()):
            code = main(["results", "--quick", "--repeats", "2", "--into", str(folder)])
        self.assertEqual(code, 0)
        record = Record.read(folder / "results.json")
        figures = {figure.name: figure.values for figure in record.sheet.figures}
        self.assertEqual({len(values) for values in figures.values()}, {2})
        self.assertTrue(all(value > 0 for value in figures["results daemon"]), figures)
        self.assertIn("at least 40 % of bare inserts", said.getvalue())
        self.assertNotRegex((folder / "results.json").read_text(), re.compile(r"/(tmp|root|home|work)\b"))

    def test_unknown_scenario(self) -> None:
        """It says which there are."""
        said = io.StringIO()
        with redirect_stderr(said):
            self.assertEqual(main(["nonsense"]), 2)
        self.assertIn("'nonsense'", said.getvalue())
        self.assertIn("injector", said.getvalue())
