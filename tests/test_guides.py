"""What the guides say of this repository is there."""

import importlib
import re
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.changes import Action

ROOT = Path(__file__).parent.parent


class ReliabilityTests(SynchronousTestCase):
    def test_tests_that_are_named(self) -> None:
        """Each fault that the guide names has the test that it names."""
        names = re.findall(r"`(tests\.[\w.]+)`", (ROOT / "docs" / "reliability.md").read_text())
        self.assertGreater(len(names), 20)
        for name in names:
            self.assertTrue(exists(name), name)


class ApiTests(SynchronousTestCase):
    def test_actions(self) -> None:
        """The guide to the API has every action that the record of changes knows, and no other."""
        (row,) = re.findall(
            r"^\| `action` \| \| (.*) \|$", (ROOT / "docs" / "api.md").read_text(), re.MULTILINE
        )
        self.assertEqual(sorted(re.findall(r"`([\w.]+)`", row)), sorted(Action))


def exists(name: str) -> bool:
    """Whether a dotted name leads to a module, a class or a method."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            found = getattr(found, part, None)
        return found is not None
    return False
