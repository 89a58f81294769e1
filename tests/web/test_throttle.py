"""Guessing made slow, with a memory that has bounds."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from cronq.web.safety.throttle import Throttle


class ThrottleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.throttle = Throttle(self.clock.seconds, free=2, longest=10.0)

    def fail_with(self, key: str, count: int) -> list[float]:
        pauses = []
        for _ in range(count):
            self.throttle.failed(key)
            pauses.append(self.throttle.pause(key))
        return pauses

    def test_doubles(self) -> None:
        """The first failures are free, then each pause is twice the one before it, up to the longest."""
        self.assertEqual(self.fail_with("a", 8), [0, 0, 1, 2, 4, 8, 10, 10])
        self.assertEqual(self.throttle.pause("b"), 0)
        self.clock.advance(9.5)
        self.assertEqual(self.throttle.pause("a"), 0.5)

    def test_forgiven(self) -> None:
        """What failed an hour ago does not count."""
        self.fail_with("a", 5)
        self.clock.advance(3601)
        self.assertEqual(self.fail_with("a", 3), [0, 0, 1])

    def test_taken_back(self) -> None:
        """A try that succeeds after all is none of the failures."""
        for _ in range(10):
            self.throttle.failed("a")
            self.throttle.succeeded("a")
        self.assertEqual(self.fail_with("a", 3), [0, 0, 1])
        self.throttle.forget("a")
        self.assertEqual(self.fail_with("a", 3), [0, 0, 1])
        for forget in (self.throttle.succeeded, self.throttle.forget):
            forget("never heard of")

    def test_bounded(self) -> None:
        """However many keys there are, as many are remembered as it says; the latest of them."""
        self.fail_with("kept", 5)
        for number in range(Throttle.MOST_KEYS - 1):
            self.throttle.failed(str(number))
        self.assertGreater(self.throttle.pause("kept"), 0)
        self.throttle.failed("kept")
        self.throttle.failed("one more")
        self.assertGreater(self.throttle.pause("kept"), 0)
        for number in range(Throttle.MOST_KEYS):
            self.throttle.failed(f"x{number}")
        self.assertEqual(self.throttle.pause("kept"), 0)

    def test_very_often(self) -> None:
        """Any number of failures is a pause of that length."""
        self.assertEqual(self.fail_with("a", 2000)[-1], 10.0)
