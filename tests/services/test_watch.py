"""Runners that are heard, fall silent and come back: what becomes of their runs."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import select, update

from cronq.broker.interface import RESULTS, Message, Queue
from cronq.database.orders import order_drain
from cronq.database.tables import events, runners, runs
from cronq.domain.jobs import JobDefinition
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.rules import OnLost, Rules
from tests.services.cases import WorldTestCase, once
from tests.services.world import START, RunnerProcess

HOUR = 3600.0


def rerun(command: str) -> JobDefinition:
    """A job with one slot that is tried again when it is lost."""
    return JobDefinition("again", "R1/2026-01-01T00:01:00Z/P1D", command, rules=Rules(OnLost.RERUN))


class WatchTestCase(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def begin(self) -> None:
        """The daemons of a new world."""
        self.results = self.world.start_results()
        self.injector = self.world.start_injector(republish_interval=1.0, order_interval=1.0)
        self.runner = self.world.start_runner()

    def attempts(self) -> list[tuple[int, str]]:
        """Attempt and status of each row of the ledger."""
        query = select(runs.c.attempt, runs.c.status).order_by(runs.c.id)
        return [(row.attempt, row.status) for row in self.world.rows(query)]

    def runner_row(self, process: RunnerProcess) -> Any:
        (row,) = self.world.rows(select(runners).where(runners.c.id == process.identity.runner))
        return row

    def lose_machine(self, process: RunnerProcess) -> None:
        """The whole machine stops, and nobody starts it again."""
        for command in self.world.launcher.running():
            command.vanish()
        process.kill()


class SilenceTests(WatchTestCase):
    def test_heard(self) -> None:
        """A runner is in the table with what it says of itself, as long as it lives and afterwards."""
        self.world.put(once(command="100 s"))
        self.world.run_for(75)
        row = self.runner_row(self.runner)
        self.assertEqual(
            (row.status, row.host, row.queue, row.routing_keys), ("up", "host", "cronq_jobs", '["default"]')
        )
        self.assertEqual((row.concurrency, row.busy), (4, 1))
        self.assertEqual(row.clock_ahead, 0.0)
        self.assertLess(self.world.now() - row.last_heard, timedelta(seconds=11))
        stopped = self.runner.stop()
        self.world.run_for(1)
        self.assertEqual(self.runner_row(self.runner).status, "draining")
        self.assert_stops(stopped, seconds=84)
        self.world.run_for(1)
        self.assertEqual(
            (self.runner_row(self.runner).status, self.runner_row(self.runner).busy), ("stopped", 0)
        )

    def test_gone(self) -> None:
        """What ran on a machine that is gone is lost a minute later, and the ledger says why."""
        self.world.put(once(command="1000 s"))
        self.world.run_for(70)
        self.lose_machine(self.runner)
        self.world.run_for(50)
        self.assertEqual((self.the_run().status, self.runner_row(self.runner).status), ("running", "up"))
        self.world.run_for(40)
        run = self.the_run()
        self.assertEqual(
            (run.status, run.reason), ("lost", "its runner has not been heard of for 60 seconds")
        )
        self.assertEqual(run.ended_at, run.recorded_at)
        self.assertEqual(self.runner_row(self.runner).status, "silent")
        self.assertEqual(
            [row.type for row in self.world.rows(select(events.c.type).order_by(events.c.id))],
            ["starting", "lost"],
        )
        self.assert_said(r"run \w+ is lost: its runner has not been heard of")

    def test_granted_and_never_started(self) -> None:
        """A runner that died before it heard of its grant, and is started again, is no riddle for long."""
        for turn in range(1, 100):
            self.new_world()
            self.begin()
            self.world.put(once())
            self.world.run_for(59.9)
            self.world.clock.after_turns(turn, self.runner.kill)
            self.world.run_for(1)
            if self.statuses() == {"running": 1}:
                break
        self.assertEqual((self.starts, self.statuses()), ([], {"running": 1}))
        self.world.start_runner()
        self.world.run_for(45)
        run = self.the_run()
        self.assertEqual((run.status, run.reason), ("lost", "its runner has ended without it"))

    def test_not_held(self) -> None:
        """A run that its runner does not know of is lost, though the runner lives."""
        self.world.put(once(routing_key="nobody"), once("other"))
        self.world.broker._server.declare(Queue("nobody", ("nobody",)))
        self.world.run_for(70)
        (run,) = self.world.rows(select(runs).where(runs.c.status == "queued"))
        asked = ResultMessage(
            run.run_id, run.job_id, Report.STARTING, self.world.now(), "host", start_time=self.world.now(),
            token="1" * 32, runner=self.runner.identity.runner,
        )  # fmt: skip
        self.world.publish(Message(RESULTS, asked.encode(), "x"))
        self.world.run_for(15)
        self.assertEqual(self.statuses(), {"running": 1, "succeeded": 1})
        self.world.run_for(30)
        self.assertEqual(self.statuses(), {"lost": 1, "succeeded": 1})
        self.assert_said("is lost: its runner does not know of it")


class ForgettingTests(WatchTestCase):
    """Runners that are gone for good."""

    heartbeat_interval = 600.0
    lost_after = 3000.0

    def test_forgotten(self) -> None:
        """A runner that ended is in the table for a week, and then no more."""
        self.world.run_for(20)
        self.assert_stops(self.runner.stop(), seconds=0)
        self.world.start_runner("runner.2")
        for days, left in ((6, ["stopped", "up"]), (2, ["up"])):
            self.world.jump(days * 86_400)
            self.world.run_for(HOUR + 60)
            found = self.world.rows(select(runners.c.status).order_by(runners.c.status))
            self.assertEqual([row.status for row in found], left)
        self.assert_said(f"no sign for long are forgotten: {self.runner.identity.runner}$")


class OutageTests(WatchTestCase):
    """Silence says nothing to who would not have heard."""

    heartbeat_interval = 60.0
    lost_after = 300.0

    def setUp(self) -> None:
        super().setUp()
        self.world.put(once(command="8000 s"))
        self.world.run_for(70)

    def assert_undisturbed(self) -> None:
        self.assertEqual(self.said("is lost"), [])
        self.world.run_for(8000)
        self.assertEqual(self.statuses(), {"succeeded": 1})

    def test_broker(self) -> None:
        """The broker is away for an hour."""
        self.world.broker.down()
        self.world.run_for(HOUR)
        self.world.broker.up()
        self.assert_undisturbed()

    def test_database(self) -> None:
        """The database is away for an hour."""
        self.world.database_down()
        self.world.run_for(HOUR)
        self.world.database_up()
        self.assert_undisturbed()

    def test_database_that_hangs(self) -> None:
        """The database does not answer for an hour."""
        self.world.database_hangs()
        self.world.run_for(HOUR)
        self.world.database_up()
        self.assert_undisturbed()

    def test_results_killed(self) -> None:
        """No results daemon is there for an hour."""
        self.results.kill()
        self.world.run_for(HOUR)
        self.world.start_results()
        self.assert_undisturbed()

    def test_results_frozen(self) -> None:
        """The only results daemon sleeps for an hour."""
        self.results.freeze()
        self.world.run_for(HOUR)
        self.results.thaw()
        self.assert_undisturbed()

    def test_results_cut_off(self) -> None:
        """The only results daemon is cut off for an hour."""
        self.results.cut()
        self.world.run_for(HOUR)
        self.results.restore()
        self.assert_undisturbed()

    def test_clock_jumps(self) -> None:
        """All clocks are set forth by a day, and back again."""
        self.world.jump(86_400)
        self.world.run_for(200)
        self.world.jump(-86_400)
        self.world.run_for(200)
        self.assert_undisturbed()


class ReportInHandTests(WatchTestCase):
    """A runner is gone, and what it said last has not been recorded yet."""

    def test_sleeping_daemon(self) -> None:
        """The report is in the hands of a results daemon that sleeps: it counts, not the silence."""
        self.world.put(once(command="20 s"))
        self.world.start_results("results.2")
        self.world.run_for(70)
        self.results.freeze()
        self.world.run_for(15)  # the report goes to either of them
        self.lose_machine(self.runner)
        self.world.run_for(600)
        self.assertEqual(self.said("is lost"), [])
        self.results.thaw()
        self.world.run_for(600)
        self.assertEqual(self.statuses(), {"succeeded": 1})
        self.assertEqual(self.said("is lost"), [])

    def test_slow_daemon(self) -> None:
        """So it is while the only daemon cannot record what it has in hand."""
        self.world.put(once(command="20 s"))
        self.world.run_for(70)
        self.world.database_down()
        self.world.run_for(15)
        self.lose_machine(self.runner)
        self.world.run_for(600)
        self.world.database_up()
        self.world.run_for(600)
        self.assertEqual((self.statuses(), self.said("is lost")), ({"succeeded": 1}, []))


class PartitionTests(WatchTestCase):
    """A runner is cut off for long, and its commands go on."""

    def part(self, seconds: float, command: str) -> None:
        self.world.put(once(command=command))
        self.world.run_for(70)
        self.runner.cut()
        self.world.run_for(seconds)
        self.assertEqual(self.statuses(), {"lost": 1})
        self.runner.restore()

    def test_won_back(self) -> None:
        """A run that it holds still is running again, and ends like any other."""
        self.part(200, "300 s")
        self.world.run_for(20)
        run = self.the_run()
        self.assertEqual((run.status, run.reason, run.ended_at), ("running", None, None))
        self.assertEqual(self.runner_row(self.runner).status, "up")
        self.assert_said("is heard of again")
        self.world.run_for(100)
        self.assertEqual(self.statuses(), {"succeeded": 1})

    def test_ended_meanwhile(self) -> None:
        """The result of a run that was given up is not thrown away."""
        self.part(200, "100 s exit 3")
        self.world.run_for(20)
        run = self.the_run()
        self.assertEqual((run.status, run.return_code, run.reason), ("failed", 3, None))
        self.assertEqual(run.ended_at, START + timedelta(seconds=160))


class RerunTests(WatchTestCase):
    """A job that asks for another attempt."""

    def test_elsewhere(self) -> None:
        """When the machine is gone for good, another runner makes the next attempt of the same slot."""
        self.world.put(rerun("200 s"))
        self.world.run_for(70)
        self.lose_machine(self.runner)
        self.world.start_runner("runner.2")
        self.world.run_for(400)
        self.assertEqual(self.attempts(), [(1, "lost"), (2, "succeeded")])
        first, second = self.world.rows(select(runs).order_by(runs.c.id))
        self.assertEqual((second.slot, second.previous_run_id), (first.slot, first.run_id))
        self.assertEqual([start.environment["CRONQ_ATTEMPT"] for start in self.starts], ["1", "2"])

    def test_not_asked_for(self) -> None:
        """Without being asked to, nothing is tried again."""
        self.world.put(once(command="200 s"))
        self.world.run_for(70)
        self.lose_machine(self.runner)
        self.world.start_runner("runner.2")
        self.world.run_for(HOUR)
        self.assertEqual(self.attempts(), [(1, "lost")])

    def test_runner_restarted(self) -> None:
        """What a dead runner left is ended before the next attempt begins, which is at once."""
        self.world.put(rerun("200 s"))
        self.world.run_for(70)
        self.runner.kill()
        self.world.start_runner()
        self.assertEqual(self.world.launcher.running(), [])
        self.world.run_for(20)
        self.assertEqual(self.attempts(), [(1, "lost"), (2, "running")])

    def test_host_is_back(self) -> None:
        """A runner that was cut off and is back ends its attempt first; then the next one begins there."""
        self.world.put(rerun("2000 s"))
        self.world.run_for(70)
        self.runner.cut()
        self.world.run_for(200)
        self.assertEqual(self.attempts(), [(1, "lost"), (2, "queued")])
        self.runner.restore()
        for _ in range(60):
            self.world.run_for(1)
            self.assertLessEqual(len(self.world.launcher.running()), 1)
        self.assertEqual(self.attempts(), [(1, "lost"), (2, "running")])
        first = self.world.rows(select(runs).order_by(runs.c.id))[0]
        self.assertIn(
            "after another attempt had been made, its runner reported that it ended with exit code 143",
            first.reason,
        )
        self.assertFalse(first.abandoned)
        self.assert_said("the attempt before it may still be running on host, which is back", times=1)

    def test_too_late(self) -> None:
        """An attempt that another one has replaced keeps its status, and its result is kept beside."""
        self.world.put(rerun("150 s exit 3"))
        self.world.run_for(70)
        self.runner.cut()
        self.world.start_runner("runner.2")
        self.world.run_for(100)
        self.runner.restore()
        self.world.run_for(300)
        self.assertEqual(self.attempts(), [(1, "lost"), (2, "failed")])

    def test_lost_again_and_again(self) -> None:
        """A command that takes its machine down is not tried for ever, and the pauses grow."""
        self.world.put(rerun("50 s"))
        self.runner.kill()
        for number in range(8):
            runner = self.world.start_runner(f"machine {number}")
            before = len(self.starts)
            for _ in range(1000):
                self.world.run_for(5)
                if len(self.starts) > before:
                    break
            self.lose_machine(runner)
            self.world.run_for(100)
        self.assertEqual(self.attempts(), [(n, "lost") for n in range(1, 6)])
        at = [start.at for start in self.starts]
        pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(at[1:])]
        self.assertEqual(pauses, sorted(pauses))
        last = self.world.rows(select(runs).order_by(runs.c.id))[-1]
        self.assertIn("this was attempt 5, and there is no more", last.reason)


class OrderTests(WatchTestCase):
    def drain(self) -> None:
        self.world.do(order_drain, self.runner.identity.runner, "a person wants it")

    def test_drain(self) -> None:
        """A runner that is told to drain takes nothing new, finishes what it has, and ends."""
        self.world.put(once("a", "30 s"), once("b", at="00:01:20"))
        self.world.run_for(70)
        self.drain()
        self.world.run_for(5)
        self.assertEqual(self.runner_row(self.runner).status, "draining")
        self.world.run_for(30)
        self.assertEqual(self.statuses(), {"succeeded": 1, "queued": 1})
        self.assertEqual(self.runner_row(self.runner).status, "stopped")
        self.world.start_runner("runner.2")
        self.world.run_for(30)
        self.assertEqual(self.statuses(), {"succeeded": 2})
        self.assert_said("ordered to drain: a person wants it")

    def test_end_of_patience(self) -> None:
        """What still runs after the drain seconds is killed, with the reason of the order."""
        self.world.put(once("a", "3000 s"))
        self.world.run_for(70)
        self.drain()
        self.world.run_for(320)
        self.assertEqual((self.the_run().status, self.the_run().reason), ("killed", "a person wants it"))

    def test_cut_off(self) -> None:
        """A runner that cannot be reached is told when it is back."""
        self.world.run_for(20)
        self.runner.cut()
        self.drain()
        self.world.run_for(300)
        self.runner.restore()
        self.world.run_for(30)
        self.assertEqual(self.runner_row(self.runner).status, "stopped")

    def test_told_twice(self) -> None:
        """An order that comes again changes nothing."""
        self.world.run_for(20)
        self.drain()
        self.drain()
        self.world.run_for(60)
        self.assert_said("ordered to drain")


class HandedBackTests(WatchTestCase):
    def test_granted_while_it_stops(self) -> None:
        """A start that is granted to a runner that is about to end is left to another one."""
        self.results.kill()
        self.world.put(once())
        self.world.run_for(65)
        stopped = self.runner.stop()
        self.world.run_for(11)
        self.successResultOf(stopped)
        self.world.start_results()
        self.world.start_runner("runner.2")
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.statuses()), (1, {"succeeded": 1}))

    def test_at_each_turn(self) -> None:
        """Wherever a runner is stopped with no patience, what it has not started is started elsewhere."""
        for turn in range(1, 60):
            self.new_world()
            self.world.start_results()
            self.world.start_injector(republish_interval=1.0)
            runner = self.world.start_runner(drain_seconds=0)
            self.world.put(once())
            self.world.run_for(59.9)
            self.world.clock.after_turns(turn, runner.exit)
            self.world.run_for(1)
            self.world.start_runner("runner.2")
            self.world.run_for(60)
            self.assert_none_twice()
            self.assertEqual(len(self.starts), 1, f"stopped after turn {turn}")
            self.assertIn(self.the_run().status, {"succeeded", "killed"})


class ForeignConsumerTests(WatchTestCase):
    def test_somebody_else_takes_reports(self) -> None:
        """While somebody unknown takes reports, silence does not count, and that is said."""
        self.world.put(once(command="1000 s"))
        stranger = self.world.broker.connect("a results daemon of 0.27")
        stranger.startService()
        self.world.run_for(0)
        stranger.subscribe(Queue(RESULTS, (RESULTS,)), lambda _: None, 1)
        self.world.run_for(70)
        self.world.execute(update(runs).values(status="running", runner=self.runner.identity.runner))
        self.lose_machine(self.runner)
        self.world.run_for(300)
        self.assertEqual(self.statuses(), {"running": 1})
        self.assert_said("the silence of runners does not count now")
