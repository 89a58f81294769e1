"""What a command's end waits for, and what is asked of its process group meanwhile."""

import signal
from collections.abc import Callable

from twisted.internet.error import ProcessDone, ProcessTerminated
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.outputs import Stream
from cronq.execution.interface import Ended
from cronq.execution.process import ShellCommand

GRACE = 10.0
LINGER = 1.0


class FakeProcess:
    """A process that does nothing by itself and notes what is asked of it."""

    pid = 4711
    process_start = 99

    def __init__(self) -> None:
        self.signals: list[signal.Signals] = []
        self.dead = False
        self.others_live = False
        self.reaped = 0
        self.drain: Callable[[], None] = lambda: None

    def signal_group(self, number: signal.Signals) -> None:
        if not self.reaped:
            self.signals.append(number)

    def is_dead(self) -> bool:
        return self.dead

    def group_is_empty(self) -> bool:
        return not self.others_live

    def reap(self) -> None:
        self.reaped += 1


class ShellCommandTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.process = FakeProcess()
        self.output: list[tuple[Stream, bytes]] = []
        self.command = ShellCommand(self.clock, self.take, LINGER, self.clock.seconds)
        self.command.makeConnection(self.process)

    def take(self, stream: Stream, data: bytes) -> None:
        self.output.append((stream, data))

    def exit(self, reason: BaseException | None = None) -> None:
        self.command.processExited(Failure(reason or ProcessDone(0)))

    def close_output(self) -> None:
        self.command.outConnectionLost()
        self.command.errConnectionLost()

    def assert_goes_on(self) -> None:
        self.assertNoResult(self.command.ended)
        self.assertEqual(self.process.reaped, 0)

    def assert_ended(self) -> None:
        self.assertTrue(self.command.ended.called)
        self.assertEqual(self.process.reaped, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_exit_and_end_of_output(self) -> None:
        """A command has ended when it has exited and its output is at its end."""
        self.clock.advance(2.5)
        self.exit()
        self.assert_goes_on()
        self.close_output()
        self.assert_ended()
        self.assertEqual(self.successResultOf(self.command.ended), Ended(return_code=0, run_time=2.5))

    def test_exit_status(self) -> None:
        """The exit status of the command is its return code."""
        self.exit(ProcessTerminated(exitCode=3))
        self.close_output()
        self.assertEqual(self.successResultOf(self.command.ended).return_code, 3)

    def test_death_by_signal(self) -> None:
        """A death by signal is 128 + its number, as in a shell."""
        self.exit(ProcessTerminated(signal=9))
        self.close_output()
        self.assertEqual(self.successResultOf(self.command.ended).return_code, 137)

    def test_identity(self) -> None:
        """A runner can note which process it started."""
        self.assertEqual((self.command.pid, self.command.process_start), (4711, 99))

    def test_both_streams(self) -> None:
        """Output is passed on as it comes, with the stream that it came by."""
        self.command.childDataReceived(1, b"\xff\x00")
        self.command.childDataReceived(2, b"oops\n")
        self.assertEqual(self.output, [(Stream.OUT, b"\xff\x00"), (Stream.ERR, b"oops\n")])

    def test_output_held_open(self) -> None:
        """A daemon that holds the output open delays the end by the bounded wait, and no longer."""
        self.exit()
        self.clock.advance(LINGER / 2)
        self.assert_goes_on()
        self.clock.advance(LINGER / 2)
        self.assert_ended()
        self.assertEqual(self.successResultOf(self.command.ended).run_time, 0)

    def test_output_that_ends_first(self) -> None:
        """A command whose output is at its end is waited for as long as it lives, and no longer."""
        self.close_output()
        self.clock.advance(10 * LINGER)
        self.assert_goes_on()
        self.command.processExited(Failure(ProcessDone(0)))
        self.assert_ended()

    def test_one_stream_held_open(self) -> None:
        """One stream that is held open is waited for as both are."""
        self.command.outConnectionLost()
        self.exit()
        self.assert_goes_on()
        self.clock.advance(LINGER)
        self.assert_ended()

    def test_output_before_the_end(self) -> None:
        """What is still in the pipes is passed on before the command is said to have ended."""
        self.process.drain = lambda: self.command.childDataReceived(1, b"last words")
        output_at_end: list[tuple[Stream, bytes]] = []
        self.command.ended.addCallback(lambda _: output_at_end.extend(self.output))
        self.exit()
        self.clock.advance(LINGER)
        self.assertEqual(output_at_end, [(Stream.OUT, b"last words")])

    def test_output_after_the_end(self) -> None:
        """What a daemon writes later is passed on too, and its end changes nothing."""
        self.exit()
        self.clock.advance(LINGER)
        self.command.childDataReceived(1, b"late")
        self.close_output()
        self.assertEqual(self.output, [(Stream.OUT, b"late")])
        self.assert_ended()

    def test_faulty_receiver(self) -> None:
        """A fault in whoever takes the output is logged once and does not reach the command."""
        self.take = lambda stream, data: 1 / 0  # type: ignore[assignment, method-assign]
        self.command = ShellCommand(self.clock, self.take, LINGER, self.clock.seconds)
        self.command.makeConnection(self.process)
        self.command.childDataReceived(1, b"one")
        self.command.childDataReceived(1, b"two")
        self.exit()
        self.close_output()
        self.assertEqual(self.successResultOf(self.command.ended).return_code, 0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_terminate(self) -> None:
        """The group is asked to end, and continued if it was stopped; the end is not waited for in vain."""
        self.command.terminate(GRACE)
        self.assertEqual(self.process.signals, [signal.SIGTERM, signal.SIGCONT])
        self.exit(ProcessTerminated(signal=15))
        self.close_output()
        self.assert_ended()
        self.assertEqual(self.successResultOf(self.command.ended).return_code, 143)

    def test_deaf_command(self) -> None:
        """A command that does not end when asked to is killed after the grace."""
        self.command.terminate(GRACE)
        self.clock.advance(GRACE - 0.1)
        self.assertNotIn(signal.SIGKILL, self.process.signals)
        self.clock.advance(0.1)
        self.assertEqual(self.process.signals[2:], [signal.SIGKILL])
        self.exit(ProcessTerminated(signal=9))
        self.close_output()
        self.assert_ended()

    def test_grandchild_outlives_the_leader(self) -> None:
        """What is left of the group when its leader obeyed is killed after the grace; then it has ended."""
        self.process.others_live = True
        self.command.terminate(GRACE)
        self.exit(ProcessTerminated(signal=15))
        self.close_output()
        self.clock.pump([0.5] * 19)
        self.assert_goes_on()
        self.assertNotIn(signal.SIGKILL, self.process.signals)
        self.clock.pump([0.5])
        self.assertEqual(self.process.signals[-1], signal.SIGKILL)
        self.assert_ended()

    def test_grandchild_obeys_a_little_later(self) -> None:
        """A group that looks empty before the grace is over is killed at once, so that none slips through."""
        self.process.others_live = True
        self.command.terminate(GRACE)
        self.exit(ProcessTerminated(signal=15))
        self.close_output()
        self.clock.advance(1)
        self.assert_goes_on()
        self.process.others_live = False
        self.clock.advance(1)
        self.assert_ended()
        self.assertEqual(self.process.signals[-1], signal.SIGKILL)

    def test_terminate_in_the_wait_for_output(self) -> None:
        """A command that has exited, but not ended, still has its group ended on request."""
        self.process.others_live = True
        self.exit()
        self.command.terminate(GRACE)
        self.assertEqual(self.process.signals, [signal.SIGTERM, signal.SIGCONT])
        self.clock.pump([0.5] * 20)
        self.assertEqual(self.process.signals[-1], signal.SIGKILL)
        self.assert_ended()

    def test_terminate_twice(self) -> None:
        """Asking again signals nothing, and can only shorten the grace."""
        self.command.terminate(GRACE)
        self.command.terminate(2 * GRACE)
        self.clock.advance(1)
        self.assertEqual(self.process.signals, [signal.SIGTERM, signal.SIGCONT])
        self.command.terminate(2)
        self.clock.advance(2)
        self.assertEqual(self.process.signals[2:], [signal.SIGKILL])
        self.exit(ProcessTerminated(signal=9))
        self.close_output()
        self.assert_ended()

    def test_has_exited(self) -> None:
        """A command has exited as soon as it is dead, before that is told, and stays so."""
        self.assertFalse(self.command.has_exited)
        self.process.dead = True
        self.assertTrue(self.command.has_exited)
        self.process.dead = False
        self.exit()
        self.assertTrue(self.command.has_exited)

    def test_kill(self) -> None:
        """A kill is a kill of the group, at once."""
        self.command.kill()
        self.assertEqual(self.process.signals, [signal.SIGKILL])
        self.exit(ProcessTerminated(signal=9))
        self.close_output()
        self.assert_ended()

    def test_kill_in_the_grace(self) -> None:
        """Who has asked politely may lose patience."""
        self.command.terminate(GRACE)
        self.command.kill()
        self.assertEqual(self.process.signals[-1], signal.SIGKILL)
        self.exit(ProcessTerminated(signal=9))
        self.close_output()
        self.assert_ended()

    def test_after_the_end(self) -> None:
        """Nothing is signalled once a command has ended: its id may be a stranger's by then."""
        self.exit()
        self.close_output()
        self.command.terminate(GRACE)
        self.command.kill()
        self.clock.advance(GRACE)
        self.assertEqual(self.process.signals, [])
        self.assert_ended()
