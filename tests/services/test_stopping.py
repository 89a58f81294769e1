"""Stopping a runner in an orderly way: nothing it has is lost, and it always comes to an end."""

from sqlalchemy import select

from cronq.broker.interface import JOBS, RESULTS
from cronq.database.tables import runs
from cronq.domain.messages import ResultMessage
from cronq.services.runner import LAST_REPORTS
from cronq.services.starting import GRANT_LASTS
from tests.services.cases import WorldTestCase, each_minute, once


class RunningTests(WorldTestCase):
    """A runner that is stopped while commands run."""

    def setUp(self) -> None:
        super().setUp()
        self.results = self.world.start_results()
        self.injector = self.world.start_injector()
        self.runner = self.world.start_runner(concurrency=2, drain_seconds=100)

    def test_idle(self) -> None:
        """A runner with nothing to do stops at once."""
        self.assert_stops(self.runner.stop(), seconds=0)

    def test_waits_for_commands(self) -> None:
        """What runs may come to its end, and its result is delivered before the runner is gone."""
        self.world.put(once(command="30 s"))
        self.world.run_for(70)
        stopped = self.runner.stop()
        self.assert_said("stopping: waiting for 1 commands, 100 s at most")
        self.assert_stops(stopped, seconds=20)
        self.assertEqual(self.statuses(), {"succeeded": 1})

    def test_takes_nothing_new(self) -> None:
        """What is published while it stops is left to others, and so is what waited for a slot."""
        self.world.put(*(once(f"job {number}", "30 s") for number in range(3)), once("later", at="00:01:15"))
        self.world.run_for(60.5)
        stopped = self.runner.stop()
        self.assertEqual(len(self.world.broker.messages(JOBS)), 1)
        self.assert_stops(stopped, seconds=29.5)
        self.assertEqual((len(self.starts), len(self.world.broker.messages(JOBS))), (2, 2))
        self.world.start_runner("another")
        self.world.run_for(60)
        self.assertEqual(self.statuses(), {"succeeded": 4})
        self.assert_none_twice()

    def test_end_of_patience(self) -> None:
        """After the drain seconds what still runs is ended, and recorded as killed, with the reason."""
        self.world.put(once(command="1000 s"))
        self.world.run_for(70)
        self.assert_stops(self.runner.stop(), seconds=100)
        run = self.the_run()
        self.assertEqual((run.status, run.return_code, run.reason), ("killed", 143, "its runner was stopped"))

    def test_no_patience(self) -> None:
        """With zero drain seconds everything is ended at once."""
        self.world.put(once(command="1000 s", routing_key="default"))
        self.runner.kill()
        impatient = self.world.start_runner("impatient", drain_seconds=0)
        self.world.run_for(70)
        self.assert_stops(impatient.stop(), seconds=0)
        self.assertEqual(self.statuses(), {"killed": 1})

    def test_stop_now(self) -> None:
        """A second signal ends the waiting: what runs is ended and recorded, what waits is handed back."""
        self.world.put(once("a", "1000 s"), once("b", "1000 s"))
        self.world.run_for(70)
        stopped = self.runner.stop()
        self.world.run_for(10)
        self.assertNoResult(stopped)
        self.runner.runner.stop_now()
        self.assert_stops(stopped, seconds=0)
        self.assertEqual(self.statuses(), {"killed": 2})
        self.assertEqual(self.world.launcher.running(), [])

    def test_stop_now_twice(self) -> None:
        """More signals change nothing."""
        self.world.put(once(command="1000 s"))
        self.world.run_for(70)
        stopped = self.runner.stop()
        for _ in range(3):
            self.runner.runner.stop_now()
        self.assert_stops(stopped, seconds=0)
        self.assertEqual(self.statuses(), {"killed": 1})

    def test_next_life(self) -> None:
        """A runner that was stopped leaves nothing for its successor to clear up."""
        self.world.put(each_minute(count="3"))
        for _ in range(3):
            self.world.run_for(62 - self.world.clock.seconds() % 60)
            self.assert_stops(self.runner.stop(), seconds=3)
            self.runner = self.world.start_runner()
        self.world.run_for(120)
        self.assertEqual(self.statuses(), {"succeeded": 3})
        self.assert_said("left by a runner", times=0)


class PendingTests(WorldTestCase):
    """A runner that is stopped while it waits for leave to start."""

    def setUp(self) -> None:
        super().setUp()
        self.world.put(once())
        self.world.start_injector()
        self.runner = self.world.start_runner()
        self.world.run_for(61)

    def test_no_answer(self) -> None:
        """A start that no one grants is handed back when the answer would be too old anyhow."""
        self.assert_stops(self.runner.stop(), seconds=GRANT_LASTS)
        self.assertEqual(len(self.world.broker.messages(JOBS)), 1)

    def test_answer_in_time(self) -> None:
        """A start that is granted while the runner stops is made, and the runner waits for its end."""
        stopped = self.runner.stop()
        self.world.run_for(5)
        self.world.start_results()
        self.assert_stops(stopped, seconds=5)
        self.assertEqual(self.statuses(), {"succeeded": 1})

    def test_stop_now(self) -> None:
        """A second signal hands it back at once."""
        stopped = self.runner.stop()
        self.runner.runner.stop_now()
        self.assert_stops(stopped, seconds=0)
        self.assertEqual(len(self.world.broker.messages(JOBS)), 1)

    def test_late_answer(self) -> None:
        """An answer that comes when the start was handed back already starts nothing here."""
        self.assert_stops(self.runner.stop(), seconds=GRANT_LASTS)
        self.world.start_results()
        self.world.run_for(60)
        self.assertEqual(self.starts, [])


class OutageTests(WorldTestCase):
    """A runner that is stopped while the broker is away."""

    def setUp(self) -> None:
        super().setUp()
        self.world.put(once(command="30 s"))
        self.world.start_injector()
        self.results = self.world.start_results()
        self.runner = self.world.start_runner()

    def test_idle(self) -> None:
        """Without a broker, too, a runner that has nothing to do stops at once."""
        self.world.broker.down()
        self.assert_stops(self.runner.stop(), seconds=0)

    def test_report_is_kept(self) -> None:
        """The report of a command that ended meanwhile is kept on disk, and delivered by the next life."""
        self.world.run_for(70)
        self.world.broker.down()
        stopped = self.runner.stop()
        self.assert_stops(stopped, seconds=20 + LAST_REPORTS)
        self.assert_said("1 reports could not be delivered yet; they are kept on disk")
        self.assertEqual(self.statuses(), {"running": 1})
        self.world.broker.up()
        self.world.start_runner()
        self.world.run_for(60)
        self.assertEqual(self.statuses(), {"succeeded": 1})
        self.assertEqual(self.the_run().run_time, 30)

    def test_report_of_the_last_moment(self) -> None:
        """A broker that is back in time gets it at once."""
        self.world.run_for(70)
        self.world.broker.down()
        stopped = self.runner.stop()
        self.world.run_for(20 + LAST_REPORTS - 1)
        self.world.broker.up()
        self.world.run_for(1)
        self.successResultOf(stopped)
        self.assertEqual(self.statuses(), {"succeeded": 1})

    def test_pending_start(self) -> None:
        """A start that waits for the broker is given up in time."""
        self.results.freeze()
        self.world.run_for(61)
        self.world.broker.down()
        self.assert_stops(self.runner.stop(), seconds=GRANT_LASTS + LAST_REPORTS)
        self.assertEqual((self.starts, self.statuses()), ([], {"queued": 1}))

    def test_many_reports(self) -> None:
        """Thousands of reports of an outage are all kept, and all delivered by the next life."""
        self.world.broker.down()
        for number in range(3000):
            run_id = f"{number:032x}"
            report = ResultMessage.decode(
                b'{"run_id":"%s","job_id":1,"type":"finished","x-send-datetime":"2026-01-01 00:00:00.000000",'
                b'"x-host":"host","return_code":0}' % run_id.encode()
            )
            self.runner.runner.reports.report(report)
        self.assert_stops(self.runner.stop(), seconds=LAST_REPORTS)
        self.assert_said("3000 reports could not be delivered yet")
        self.world.broker.up()
        runner = self.world.start_runner()
        self.world.run_for(5)
        self.assertEqual(len(self.world.rows(select(runs).where(runs.c.status == "succeeded"))), 3000)
        self.assertEqual(runner.notebook.undelivered, {})


class NeverConnectedTests(WorldTestCase):
    """A runner that has never seen a broker."""

    def test_stop(self) -> None:
        """It stops at once, and so do the other daemons."""
        self.world.broker.down()
        daemons = [self.world.start_runner(), self.world.start_results(), self.world.start_injector()]
        self.world.run_for(60)
        for daemon in daemons:
            self.assert_stops(daemon.stop(), seconds=0)
        self.assertEqual(self.world.broker.messages(RESULTS), [])
