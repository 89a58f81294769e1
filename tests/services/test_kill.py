"""Killing a run from afar: called off, or ended by its runner, and never both started and called off."""

from typing import Any

from cronq.database.kills import kill_run
from cronq.domain.kills import Kill
from tests.services.cases import WorldTestCase, once

WHY = "killed by Ada: it hangs"


class KillTestCase(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = self.world.start_results()
        self.runner = self.world.start_runner()
        self.world.start_injector(order_interval=1.0)

    def kill(self) -> Kill:
        """Kill the only run."""
        killed = self.world.do(kill_run, self.the_run().run_id, WHY)
        assert killed is not None
        return killed.kill

    def ended(self) -> tuple[Any, ...]:
        run = self.the_run()
        return run.status, run.reason, run.return_code


class RunningTests(KillTestCase):
    """A run whose command runs."""

    def test_kill(self) -> None:
        """Its command is ended within a second or two, and the run says who did it and why."""
        self.world.put(once(command="600 s"))
        self.world.run_for(70)
        self.assertIs(self.kill(), Kill.ORDERED)
        self.world.run_for(3)
        self.assertEqual(self.ended(), ("killed", WHY, 143))
        self.assertIs(self.kill(), Kill.TOO_LATE)

    def test_twice(self) -> None:
        """Killed again before it has ended, it is one end with the first reason."""
        self.world.put(once(command="600 s deaf"))
        self.world.run_for(70)
        self.kill()
        self.world.run_for(5)
        self.assertIs(self.kill(), Kill.ORDERED)
        self.world.run_for(10)
        self.assertEqual(self.ended(), ("killed", WHY, 137))

    def test_runner_cut_off(self) -> None:
        """A runner that cannot be reached is told when it is back."""
        self.world.put(once(command="600 s"))
        self.world.run_for(70)
        self.runner.cut()
        self.kill()
        self.world.run_for(30)
        self.assertEqual(self.the_run().status, "running")
        self.runner.restore()
        self.world.run_for(15)
        self.assertEqual(self.ended(), ("killed", WHY, 143))

    def test_broker_away(self) -> None:
        """The order waits in the database while the broker is away, and the command runs on."""
        self.world.put(once(command="600 s"))
        self.world.run_for(70)
        self.world.broker.down()
        self.kill()
        self.world.run_for(60)
        self.world.broker.up()
        self.world.run_for(30)
        self.assertEqual(self.ended()[:2], ("killed", WHY))

    def test_ends_by_itself(self) -> None:
        """What ends before the order comes keeps its own end."""
        self.world.put(once(command="10 s exit 3"))
        self.world.run_for(69.9)
        self.kill()
        self.world.run_for(10)
        self.assertEqual(self.ended(), ("failed", None, 3))

    def test_runner_gone(self) -> None:
        """A run whose runner is gone is lost, as any is; the order ends with it."""
        self.world.put(once(command="600 s"))
        self.world.run_for(70)
        self.runner.kill()
        self.kill()
        self.world.run_for(200)
        self.assertEqual(self.the_run().status, "lost")

    def test_granted_and_not_started(self) -> None:
        """A runner that hears of it before it has begun does not begin, and says so."""
        self.world.put(once(command="600 s"))
        self.results.freeze()
        self.world.run_for(60.5)
        self.runner.freeze()
        self.results.thaw()
        self.world.run_for(2)
        self.assertEqual(self.the_run().status, "running")
        self.kill()
        self.world.run_for(15)
        self.runner.thaw()
        self.world.run_for(30)
        self.assertEqual((self.ended(), self.starts), (("killed", WHY, None), []))
        self.assert_said(f"not started: {WHY}")

    def test_while_draining(self) -> None:
        """A runner that stops still takes the order."""
        self.world.put(once(command="3000 s"))
        self.world.run_for(70)
        stopped = self.runner.stop()
        self.kill()
        self.assert_stops(stopped, 1)
        self.world.run_for(5)
        self.assertEqual(self.ended(), ("killed", WHY, 143))


class QueuedTests(KillTestCase):
    """A run that waits."""

    def test_waits_for_a_runner(self) -> None:
        """It never starts, though its message is in the queue."""
        self.runner.stop()
        self.world.put(once())
        self.world.run_for(70)
        self.assertIs(self.kill(), Kill.CALLED_OFF)
        self.world.start_runner("runner.2")
        self.world.run_for(600)
        self.assertEqual((self.ended(), self.starts), (("killed", WHY, None), []))
        self.assert_said(f"not started here: it is killed already: {WHY}")
        self.assert_audit_clean()

    def test_waits_for_a_grant(self) -> None:
        """A runner that has asked is refused."""
        self.results.freeze()
        self.world.put(once())
        self.world.run_for(62)
        self.assertIs(self.kill(), Kill.CALLED_OFF)
        self.results.thaw()
        self.world.run_for(60)
        self.assertEqual((self.ended(), self.starts), (("killed", WHY, None), []))

    def test_unknown(self) -> None:
        """What is not there cannot be killed."""
        self.assertIsNone(self.world.do(kill_run, "0" * 32, WHY))
