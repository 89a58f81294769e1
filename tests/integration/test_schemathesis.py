"""The web held against its own description by schemathesis (https://schemathesis.readthedocs.io)."""

import subprocess
import sys
from pathlib import Path

from twisted.internet.threads import deferToThread

from tests.integration.browsing import BrowsingCase

#: What takes values in a language of its own, of which a schema cannot say which make sense: schedules and
#: categories, times, places in a list. It may refuse what its schema allows.
CONFIGURATION = """
[generation]
database = "none"
[checks]
positive_data_acceptance.enabled = false
[[operations]]
exclude-path-regex = "^/(?!api/|_status)|/(category|pause|backfill|preview|runs|audit)(/|$)"
checks.positive_data_acceptance.enabled = true
"""
#: They do not end, and have tests of their own.
STREAMS = "^/events$|/stream$"


class SchemathesisTests(BrowsingCase):
    """All pages and the whole API, with values that they should take and with others."""

    async def test_finds_nothing(self) -> None:
        """No fault of the server, and no code, type, header or shape that is not described."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "schemathesis.toml").write_text(CONFIGURATION)
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file=schemathesis.toml", "--no-color"]
        command += ["run", f"{self.base}/api/openapi.json", f"--exclude-path-regex={STREAMS}"]
        command += ["--phases=coverage,fuzzing", "--max-examples=15", "--seed=1", "--continue-on-failure"]
        done = await deferToThread(
            lambda: subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"Tested: \d\d")
        self.assertEqual(self.flushLoggedErrors(), [])
