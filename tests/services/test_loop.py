"""Duties that are done again and again, and services that build on one another."""

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from cronq.domain.errors import DatabaseUnavailable
from cronq.services.loop import LONGEST_PAUSE, Loop
from cronq.services.sequence import Sequence
from cronq.services.trouble import Trouble
from tests.services.cases import LoggedTestCase
from tests.services.turns import Turns

DAY = 86_400.0


class LoopTests(LoggedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.clock = Turns()
        self.passes: list[float] = []
        self.outcomes: list[Deferred[float] | Exception | float] = []
        self.loop = Loop("the loop", self._work, self.clock)

    async def _work(self) -> float:
        self.passes.append(self.clock.seconds())
        outcome = self.outcomes.pop(0) if self.outcomes else DAY
        if isinstance(outcome, Exception):
            raise outcome
        return await outcome if isinstance(outcome, Deferred) else outcome

    def test_pass_says_when_the_next_one_is_due(self) -> None:
        """It works at once, and then whenever the pass before has said."""
        self.outcomes = [3.0, 5.0]
        self.loop.startService()
        self.clock.run_for(9)
        self.assertEqual(self.passes, [0, 3, 8])

    def test_pause_after_failures_grows(self) -> None:
        """A database that stays away is asked less and less often, but often enough."""
        self.outcomes = [DatabaseUnavailable("it is gone")] * 10
        self.loop.startService()
        self.clock.run_for(70)
        pauses = [later - earlier for earlier, later in zip(self.passes, self.passes[1:], strict=False)]
        self.assertEqual(pauses[:5], [0.5, 1.0, 2.0, 4.0, 8.0])
        self.assertEqual(set(pauses[5:]), {LONGEST_PAUSE})

    def test_trouble_is_told_once(self) -> None:
        """The log has one line when trouble begins, one when it changes, and one when it is over."""
        gone, full = DatabaseUnavailable("it is gone"), DatabaseUnavailable("it is full")
        self.outcomes = [gone, gone, gone, full, full, 1.0, 1.0, gone, 1.0]
        self.loop.startService()
        self.clock.run_for(60)
        self.assertEqual(
            self.said("the loop"),
            [
                "the loop: it is gone",
                "the loop: it is full",
                "the loop: goes on",
                "the loop: it is gone",
                "the loop: goes on",
            ],
        )

    def test_shared_trouble(self) -> None:
        """What keeps several duties of a daemon from getting on is told by one of them."""
        trouble = Trouble()
        gone = DatabaseUnavailable("it is gone")
        outcomes: dict[str, list[Any]] = {"one": [gone, gone, 1.0], "other": [gone, gone, gone, gone, 1.0]}

        def work_of(name: str) -> Callable[[], Awaitable[float]]:
            async def work() -> float:
                outcome = outcomes[name].pop(0) if outcomes[name] else DAY
                if isinstance(outcome, Exception):
                    raise outcome
                return float(outcome)

            return work

        for name in outcomes:
            Loop(name, work_of(name), self.clock, trouble).startService()
        self.clock.run_for(0.6)
        self.assertEqual(self.said("^(one|other): "), ["one: it is gone"])
        self.clock.run_for(60)
        self.assertEqual(
            self.said("^(one|other): "),
            # The other one fails again when it seems to be over: that is news, and it says when it is not.
            ["one: it is gone", "one: goes on", "other: it is gone", "other: goes on"],
        )

    def test_fault_of_ours_is_told_with_its_traceback(self) -> None:
        """An error that no one foresaw is logged as what it is, and ends nothing."""
        self.outcomes = [ZeroDivisionError("a fault"), 1.0]
        self.loop.startService()
        self.clock.advance(0.5)
        self.assertEqual(len(self.passes), 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_wake_ends_the_pause(self) -> None:
        """Who has work for it does not wait for the end of the pause, and that pause is over then."""
        self.outcomes = [10.0, 10.0]
        self.loop.startService()
        self.clock.advance(4)
        self.loop.wake()
        self.assertEqual(self.passes, [0, 4])
        self.clock.advance(6)
        self.assertEqual(self.passes, [0, 4])
        self.clock.advance(4)
        self.assertEqual(self.passes, [0, 4, 14])

    def test_wake_during_a_pass_is_not_lost(self) -> None:
        """What comes while it works is worked on at once afterwards."""
        working: Deferred[float] = Deferred()
        self.outcomes = [working]
        self.loop.startService()
        self.loop.wake()
        self.assertEqual(len(self.passes), 1)
        working.callback(DAY)
        self.assertEqual(len(self.passes), 2)

    def test_many_passes_without_a_pause(self) -> None:
        """Ten thousand passes on end leave the reactor a turn each, and the stack as it was."""
        self.outcomes = [0.0] * 10_000
        self.loop.startService()
        self.assertEqual(len(self.passes), 1)
        self.clock.run_for(0)
        self.assertEqual(len(self.passes), 10_001)

    def test_many_wakes_during_passes(self) -> None:
        """Nor does the stack grow when each pass is asked for another one."""
        self.outcomes = [0.0] * 10_000
        work = self.loop._work

        async def wake_and_work() -> float:
            if self.outcomes:
                self.loop.wake()
            return await work()

        self.loop._work = wake_and_work
        self.loop.startService()
        self.assertEqual(len(self.passes), 10_001)

    def test_stop_waits_for_the_pass(self) -> None:
        """A stop lets the pass in hand come to its end, and is the end of all passes."""
        working: Deferred[float] = Deferred()
        self.outcomes = [working]
        self.loop.startService()
        stopped = self.loop.stopService()
        self.assertNoResult(stopped)
        working.callback(0.0)
        self.successResultOf(stopped)
        self.clock.advance(DAY)
        self.assertEqual(len(self.passes), 1)

    def test_stop_ends_the_pause(self) -> None:
        """A loop that sleeps stops at once and leaves no timer behind."""
        self.loop.startService()
        self.successResultOf(self.loop.stopService())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop_of_what_was_never_started(self) -> None:
        """It is stopped already."""
        self.successResultOf(self.loop.stopService())

    def test_start_after_stop(self) -> None:
        """A loop that was stopped can be started again."""
        self.loop.startService()
        self.loop.stopService()
        self.loop.startService()
        self.assertEqual(len(self.passes), 2)


class UntilTests(LoggedTestCase):
    """Waiting within a pass for what may never happen."""

    def setUp(self) -> None:
        super().setUp()
        self.happening: Deferred[float] = Deferred()
        self.before: Deferred[None] = succeed(None)
        self.after: list[float] = []
        self.loop = Loop("the loop", self._work, Clock())

    async def _work(self) -> float:
        await self.before
        self.after.append(await self.loop.until(self.happening))
        return DAY

    def test_it_happens(self) -> None:
        """The pass goes on with what happened."""
        self.loop.startService()
        self.happening.callback(4.0)
        self.assertEqual(self.after, [4.0])

    def test_stop_while_it_waits(self) -> None:
        """A stop does not wait for a broker that never comes."""
        self.loop.startService()
        self.successResultOf(self.loop.stopService())
        self.assertEqual(self.after, [])

    def test_stop_before_it_waits(self) -> None:
        """Nor does a stop that comes earlier in the same pass."""
        self.before = Deferred()
        self.loop.startService()
        stopped = self.loop.stopService()
        self.before.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.after, [])

    def test_stop_after_it_happened(self) -> None:
        """A stop while the same pass does something else does not touch it."""
        slow: Deferred[None] = Deferred()

        async def work() -> float:
            await self.loop.until(succeed(1.0))
            await slow
            self.after.append(1.0)
            return DAY

        self.loop = Loop("the loop", work, Clock())
        self.loop.startService()
        stopped = self.loop.stopService()
        slow.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.after, [1.0])


class Part(Service):
    """Notes what is asked of it."""

    def __init__(self, number: int, notes: list[str]) -> None:
        self._number = number
        self._notes = notes
        self.start: Callable[[], Any] = lambda: None
        self.stop: Callable[[], Any] = lambda: None

    def startService(self) -> None:
        self._notes.append(f"start {self._number}")
        self.start()

    def stopService(self) -> Any:
        self._notes.append(f"stop {self._number}")
        return self.stop()


class SequenceTests(LoggedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.notes: list[str] = []
        self.parts = [Part(number, self.notes) for number in range(1, 4)]
        self.sequence = Sequence.of(self.parts)

    def test_order(self) -> None:
        """They start in their order and stop in the reverse one."""
        self.sequence.startService()
        self.assertTrue(self.sequence.running)
        self.successResultOf(self.sequence.stopService())
        self.assertEqual(self.notes, ["start 1", "start 2", "start 3", "stop 3", "stop 2", "stop 1"])
        self.assertFalse(self.sequence.running)

    def test_one_stops_after_the_other(self) -> None:
        """What others build on stays until they are stopped."""
        slow: Deferred[None] = Deferred()
        self.parts[2].stop = lambda: slow
        self.sequence.startService()
        stopped = self.sequence.stopService()
        self.assertEqual(self.notes[3:], ["stop 3"])
        slow.callback(None)
        self.successResultOf(stopped)
        self.assertEqual(self.notes[3:], ["stop 3", "stop 2", "stop 1"])

    def test_one_cannot_stop(self) -> None:
        """One that cannot stop is told, and the others are stopped all the same."""
        self.parts[2].stop = lambda: fail(ZeroDivisionError())
        self.parts[1].stop = self._cannot
        self.sequence.startService()
        self.successResultOf(self.sequence.stopService())
        self.assertEqual(self.notes[3:], ["stop 3", "stop 2", "stop 1"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_one_cannot_start(self) -> None:
        """When one cannot start, those before it are stopped, and who started it all is told why."""
        self.parts[2].start = self._cannot
        self.assertRaises(ZeroDivisionError, self.sequence.startService)
        self.assertEqual(self.notes, ["start 1", "start 2", "start 3", "stop 2", "stop 1"])
        self.assertFalse(self.sequence.running)

    def _cannot(self) -> None:
        raise ZeroDivisionError
