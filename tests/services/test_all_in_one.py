"""Everything in one process, with a broker in it that forgets all when the process ends."""

from collections.abc import Callable

from sqlalchemy import select

from cronq.database.tables import runs
from cronq.domain.runs import Status
from cronq.services.runner import LAST_REPORTS
from tests.services.cases import WorldTestCase, each_minute, once


class AllInOneTests(WorldTestCase):
    def begin(self) -> None:
        """A new world, in which nothing has happened yet."""
        self.new_world()
        self.world.put(once("good", "5 s"), once("bad", "2 s exit 3"))
        self.cronq = self.world.start_all_in_one()

    def start_again(self) -> None:
        self.cronq = self.world.start_all_in_one()

    def at_each_turn(self, trouble: Callable[[], None], check: Callable[[], None]) -> None:
        """Live through the same minutes again and again, with the same trouble one turn later each time."""
        self.begin()
        self.world.run_for(59)
        first = self.world.clock.turns
        self.world.run_for(11)
        for turn in range(first, self.world.clock.turns + 1):
            self.begin()
            self.world.clock.after_turns(turn, trouble)
            self.world.run_for(90)
            try:
                check()
            except self.failureException as error:
                error.add_note(f"with the trouble after turn {turn}")
                raise

    def test_undisturbed(self) -> None:
        """Slots are run and recorded as with a broker of its own."""
        self.world.put(each_minute("each minute", "5 s"))
        self.start_again()
        self.world.run_for(10 * 60 + 10)
        self.assertEqual(self.statuses(), {"succeeded": 10})
        self.assert_none_twice()

    def test_killed(self) -> None:
        """Killed at any step and started again, it runs each slot that it had not started, none twice."""

        def kill() -> None:
            self.cronq.kill()
            self.world.clock.callLater(3, self.start_again)

        def check() -> None:
            self.assert_none_twice()
            self.assertEqual(self.slots(), {"good": 1, "bad": 1})
            started = self.world.launcher.runs()
            for run in self.world.rows(select(runs)):
                # Granted, and killed before it was started: only the silence of its runner tells of that.
                unheard = run.status == Status.RUNNING and run.run_id not in started
                self.assertTrue(unheard or Status(run.status).final, run)
            self.assertEqual(self.world.launcher.running(), [])

        self.at_each_turn(kill, check)

    def test_stopped(self) -> None:
        """Stopped at any step and started again, it has run and recorded everything once."""

        def stop() -> None:
            self.cronq.stop().addCallback(lambda _: self.start_again())

        def check() -> None:
            self.assert_none_twice()
            self.assertEqual(self.statuses(), {"succeeded": 1, "failed": 1})

        self.at_each_turn(stop, check)

    def test_result_is_kept_until_it_is_recorded(self) -> None:
        """A result that the database could not take before the end is recorded after the next start."""
        self.begin()
        self.world.run_for(61)
        self.world.database_down()
        self.world.run_for(9)
        stopped = self.cronq.stop()
        self.assert_stops(stopped, seconds=LAST_REPORTS)
        self.world.database_up()
        self.start_again()
        self.world.run_for(10)
        self.assertEqual(self.statuses(), {"succeeded": 1, "failed": 1})
        self.assertEqual(len(self.starts), 2)

    def test_queue_is_published_again(self) -> None:
        """What was queued when it was killed is published at once by the next life, whenever that was."""
        self.world.put(*(once(f"job {number}", "300 s") for number in range(6)))
        self.cronq = self.world.start_all_in_one()
        self.world.run_for(62)
        self.assertEqual(self.statuses(), {"running": 4, "queued": 2})
        self.cronq.kill()
        self.world.run_for(10)
        self.start_again()
        self.world.run_for(10)
        self.assertEqual(self.statuses(), {"lost": 4, "running": 2})
        self.assert_none_twice()
