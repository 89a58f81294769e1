"""What a daemon waits by, and what it does not look at again."""

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
COLLECTOR = """
import gc
from cronq.commands.reactor import steady_reactor
reactor = steady_reactor()
reactor.callWhenRunning(reactor.stop)
before = len(gc.get_objects())
reactor.run()
print(len(gc.get_objects()) < before / 10)
"""


class ReactorTests(SynchronousTestCase):
    """The time of day is set by people and by the network; a daemon's pauses go by another clock."""

    def test_steady(self) -> None:
        """It waits by the monotonic clock, and still wakes up."""
        self.assert_true(SCRIPT)

    def test_collector(self) -> None:
        """What a daemon is made of is not gone through again and again for garbage."""
        self.assert_true(COLLECTOR)

    def assert_true(self, script: str) -> None:
        """Run it in a process of its own."""
        ran = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
        )
        self.assertEqual((ran.stdout, ran.stderr), ("True\n", ""))
