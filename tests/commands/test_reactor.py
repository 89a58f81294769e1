"""What a daemon waits by."""

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

SCRIPT = """
import time
from cronq.commands.reactor import steady_reactor
reactor = steady_reactor()
before = time.monotonic()
now = reactor.seconds()
after = time.monotonic()
reactor.callLater(0.01, reactor.stop)
reactor.run()
print(before <= now <= after)
"""


class ReactorTests(SynchronousTestCase):
    """The time of day is set by people and by the network; a daemon's pauses go by another clock."""

    def test_steady(self) -> None:
        """It waits by the monotonic clock, and still wakes up."""
        ran = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60
        )
        self.assertEqual((ran.stdout, ran.stderr), ("True\n", ""))
