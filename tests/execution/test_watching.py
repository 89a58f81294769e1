"""Which descriptors are said to be readable, and when the reactor has one more to watch."""

import os

from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from cronq.execution.watching import Watch


class WatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = MemoryReactor()
        self.watch = Watch(self.reactor)
        self.told: list[str] = []

    def pipe(self) -> tuple[int, int]:
        """The two ends of a pipe, closed at the end of the test."""
        ends = os.pipe()
        for end in ends:
            self.addCleanup(os.close, end)
        return ends

    def add(self, name: str, written: bytes = b"") -> int:
        """Watch a pipe into which something was written, and give its reading end."""
        reading, writing = self.pipe()
        os.write(writing, written)
        self.watch.add(reading, lambda: self.told.append(name))
        return reading

    def test_readable(self) -> None:
        """Of several, those are told that can be read, at each turn until they are not watched any more."""
        self.add("silent")
        one, _ = self.add("one", b"1"), self.add("two", b"2")
        self.watch.doRead()
        self.assertCountEqual(self.told, ["one", "two"])
        self.watch.remove(one)
        self.watch.doRead()
        self.assertEqual(self.told[2:], ["two"])

    def test_end(self) -> None:
        """The end of a pipe can be read, too."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.watch.add(reading, lambda: self.told.append("end"))
        os.close(writing)
        self.watch.doRead()
        self.assertEqual(self.told, ["end"])

    def test_removed_in_the_same_turn(self) -> None:
        """What is removed while others are told is told nothing."""
        both = [self.pipe(), self.pipe()]

        def first() -> None:
            self.told.append("first")
            for reading, _ in both:
                self.watch.remove(reading)

        for reading, writing in both:
            os.write(writing, b"x")
            self.watch.add(reading, first)
        self.watch.doRead()
        self.assertEqual(self.told, ["first"])

    def test_fault(self) -> None:
        """A fault of one who is told is logged, and the others are told all the same."""
        reading, writing = self.pipe()
        os.write(writing, b"x")
        self.watch.add(reading, lambda: 1 / 0)  # type: ignore[arg-type]
        self.add("other", b"x")
        self.watch.doRead()
        self.assertEqual(self.told, ["other"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_reactor(self) -> None:
        """The reactor watches it as long as it watches something, by a descriptor that says when that is."""
        self.assertEqual(self.reactor.getReaders(), [])
        one, two = self.add("one"), self.add("two")
        self.assertEqual(self.reactor.getReaders(), [self.watch])
        self.watch.remove(one)
        self.assertEqual(self.reactor.getReaders(), [self.watch])
        self.watch.remove(two)
        self.assertEqual(self.reactor.getReaders(), [])
