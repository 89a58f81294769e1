"""Trouble at every single step of a run: whatever comes when, no slot is lost and none is run twice.

Each test lives through the same minutes again and again, with the same trouble one turn of the clock later.
"""

from collections.abc import Callable
from functools import partial

from cronq.broker.interface import DEFAULT_ROUTING_KEY, JOBS, Message
from cronq.domain.messages import JobMessage
from tests.services.cases import WorldTestCase, once
from tests.services.process import Process

#: Seconds after which all is over, if all goes well, and by which the trouble is over and forgotten.
UNDISTURBED, LONG_AFTER = 70.0, 300.0


class TroubleTestCase(WorldTestCase):
    """Two jobs of one slot, which are published, granted, run and recorded at the same time."""

    heartbeat_interval = 30.0
    lost_after = 90.0

    def begin(self) -> None:
        """A new world, in which nothing has happened yet."""
        self.new_world()
        self.world.put(once("good", "5 s"), once("bad", "2 s exit 3"))
        self.daemons = {
            "results": self.world.start_results(),
            "runner": self.world.start_runner(),
            "injector": self.world.start_injector(republish_interval=20.0),
        }

    def start_again(self, name: str) -> None:
        start: dict[str, Callable[[], Process]] = {
            "results": self.world.start_results,
            "runner": self.world.start_runner,
            "injector": partial(self.world.start_injector, republish_interval=20.0),
        }
        self.daemons[name] = start[name]()

    def at_each_turn(self, trouble: Callable[[], None], check: Callable[[], None]) -> None:
        """From just before the slot until all would be over; `check` is made at the end of each history."""
        self.begin()
        self.world.run_for(59)
        first = self.world.clock.turns
        self.world.run_for(UNDISTURBED - 59)
        last = self.world.clock.turns
        self.assertGreater(last - first, 20)
        for turn in range(first, last + 1):
            self.begin()
            self.world.clock.after_turns(turn, trouble)
            self.world.run_for(LONG_AFTER)
            try:
                check()
            except self.failureException as error:
                error.add_note(f"with the trouble after turn {turn} of {first} to {last}")
                raise

    def later(self, seconds: float, remedy: Callable[[], None]) -> None:
        self.world.clock.callLater(seconds, remedy)

    def all_is_well(self) -> None:
        self.assert_none_twice()
        self.assertEqual(self.statuses(), {"succeeded": 1, "failed": 1})
        self.assertEqual(len(self.starts), 2)
        self.assertEqual(self.world.broker.messages(JOBS), [])
        self.assert_audit_clean()

    def all_is_accounted_for(self) -> None:
        """As it is when a runner dies: what it had in hand may be lost, but it is known what was."""
        self.assert_none_twice()
        self.assertEqual(self.slots(), {"good": 1, "bad": 1})
        self.assert_all_ended()
        self.assertEqual(self.world.launcher.running(), [])
        self.assertEqual(self.world.broker.messages(JOBS), [])
        self.assert_audit_clean()


class CutTests(TroubleTestCase):
    """A connection to the broker is lost."""

    def cut(self, name: str, seconds: float) -> None:
        daemon = self.daemons[name]
        daemon.cut()
        self.later(seconds, daemon.restore)

    def test_runner_for_a_moment(self) -> None:
        """A runner that is cut off for a moment, at any step, runs and reports everything once."""
        self.at_each_turn(lambda: self.cut("runner", 0.5), self.all_is_well)

    def test_runner_for_long(self) -> None:
        """So does one that is cut off for so long that commands end meanwhile."""
        self.at_each_turn(lambda: self.cut("runner", 30), self.all_is_well)

    def test_results(self) -> None:
        """Results may lose its connection at any step."""
        self.at_each_turn(lambda: self.cut("results", 7), self.all_is_well)

    def test_injector(self) -> None:
        """The injector may lose its connection at any step."""
        self.at_each_turn(lambda: self.cut("injector", 7), self.all_is_well)

    def test_two_runners(self) -> None:
        """What comes back from a runner that is cut off may go to another one; one of them starts it."""

        def cut() -> None:
            self.world.start_runner("runner.2")
            self.cut("runner", 3)

        self.at_each_turn(cut, self.all_is_well)

    def test_all(self) -> None:
        """The broker may be restarted at any step."""

        def restart() -> None:
            self.world.broker.down()
            self.later(7, self.world.broker.up)

        self.at_each_turn(restart, self.all_is_well)


class UngrantedTests(WorldTestCase):
    """A message of 0.27, about which only the broker knows who has it."""

    def test_cut_before_the_start(self) -> None:
        """A runner that is cut off before it could tell of the start leaves it to whoever gets it next."""
        job = JobMessage("0" * 32, 7, "job", "5 s")
        for turn in range(1, 30):
            self.new_world()
            self.runner = self.world.start_runner("runner.1")
            self.world.run_for(1)
            self.world.start_runner("runner.2")
            self.world.clock.after_turns(turn, self.cut)
            self.world.publish(Message(DEFAULT_ROUTING_KEY, job.encode(), job.run_id))
            self.world.run_for(3)
            self.runner.restore()
            self.world.run_for(60)
            if not self.started_before:
                self.assertEqual(self.world.launcher.runs(), [job.run_id], f"cut after turn {turn}")
            self.assertEqual(self.world.broker.messages(JOBS), [])

    def cut(self) -> None:
        self.started_before = self.world.launcher.runs()
        self.runner.cut()


class KillTests(TroubleTestCase):
    """A daemon is killed, and started again some seconds later."""

    def kill(self, name: str) -> None:
        self.daemons[name].kill()
        self.later(3, lambda: self.start_again(name))

    def test_injector(self) -> None:
        """No slot depends on the life of an injector."""
        self.at_each_turn(lambda: self.kill("injector"), self.all_is_well)

    def test_results(self) -> None:
        """Nothing that was reported depends on the life of a results daemon."""
        self.at_each_turn(lambda: self.kill("results"), self.all_is_well)

    def test_runner(self) -> None:
        """What a killed runner has left running is ended by the next one and recorded as lost."""
        self.at_each_turn(lambda: self.kill("runner"), self.all_is_accounted_for)

    def test_runner_with_another_there(self) -> None:
        """What a killed runner has not accepted goes to another one, which starts only what is granted."""

        def kill() -> None:
            self.world.start_runner("runner.2")
            self.kill("runner")

        self.at_each_turn(kill, self.all_is_accounted_for)

    def test_runner_with_its_machine(self) -> None:
        """When the commands die with it, their runs are lost, too."""

        def kill() -> None:
            for command in self.world.launcher.running():
                command.vanish()
            self.kill("runner")

        self.at_each_turn(kill, self.all_is_accounted_for)

    def test_all(self) -> None:
        """All daemons may die at once."""

        def kill() -> None:
            for name in list(self.daemons):
                self.kill(name)

        self.at_each_turn(kill, self.all_is_accounted_for)


class StopTests(TroubleTestCase):
    """A daemon is stopped in good order, and started again when it has stopped."""

    def stop(self, name: str) -> None:
        self.daemons[name].stop().addCallback(lambda _: self.start_again(name))

    def test_runner(self) -> None:
        """A restart of the runner costs nothing, whenever it is."""
        self.at_each_turn(lambda: self.stop("runner"), self.all_is_well)

    def test_results(self) -> None:
        """Nor does a restart of results."""
        self.at_each_turn(lambda: self.stop("results"), self.all_is_well)

    def test_injector(self) -> None:
        """Nor does a restart of the injector."""
        self.at_each_turn(lambda: self.stop("injector"), self.all_is_well)

    def test_all(self) -> None:
        """Nor does a restart of all daemons at once."""

        def stop() -> None:
            for name in list(self.daemons):
                self.stop(name)

        self.at_each_turn(stop, self.all_is_well)


class FreezeTests(TroubleTestCase):
    """A daemon is stopped by SIGSTOP, or its machine sleeps, and goes on later."""

    def freeze(self, name: str, seconds: float) -> None:
        daemon = self.daemons[name]
        daemon.freeze()
        self.later(seconds, daemon.thaw)

    def test_runner(self) -> None:
        """A runner may sleep for longer than a grant lasts."""
        self.at_each_turn(lambda: self.freeze("runner", 30), self.all_is_well)

    def test_runner_that_is_given_up(self) -> None:
        """A runner that sleeps, and is cut off by a broker that has waited too long, starts nothing twice."""

        def freeze() -> None:
            self.world.start_runner("runner.2")
            self.freeze("runner", 60)
            self.later(30, self.daemons["runner"].cut)
            self.later(61, self.daemons["runner"].restore)

        self.at_each_turn(freeze, self.all_is_well)

    def test_results(self) -> None:
        """Results may sleep while another results daemon works."""

        def freeze() -> None:
            self.world.start_results("results.2")
            self.freeze("results", 30)

        self.at_each_turn(freeze, self.all_is_well)

    def test_injector(self) -> None:
        """An injector may sleep with a batch in hand that another one publishes meanwhile."""

        def freeze() -> None:
            self.world.start_injector("injector.2", republish_interval=20.0)
            self.freeze("injector", 60)

        self.at_each_turn(freeze, self.all_is_well)


class DatabaseTests(TroubleTestCase):
    """The database is in trouble."""

    def test_away(self) -> None:
        """It may be away for a while, from any step on."""

        def down() -> None:
            self.world.database_down()
            self.later(7, self.world.database_up)

        self.at_each_turn(down, self.all_is_well)

    def test_commit_fails(self) -> None:
        """Any commit may fail."""
        self.at_each_turn(lambda: self.world.fail_commit(0, committed=False), self.all_is_well)

    def test_commit_is_not_answered(self) -> None:
        """Any commit may come through without an answer that says so."""
        self.at_each_turn(lambda: self.world.fail_commit(0, committed=True), self.all_is_well)
