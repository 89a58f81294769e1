"""Faults that were found by living through seeded histories (`tests.simulation`), each in short."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select

from cronq.broker.interface import RESULTS, Message, Queue
from cronq.database.backfilling import Wanted, begin_backfill
from cronq.database.ledger import record_reports
from cronq.database.orders import order_drain
from cronq.database.tables import jobs, runs
from cronq.domain.backfilling import Order
from cronq.domain.jobs import JobDefinition
from cronq.domain.messages import Report, ResultMessage
from cronq.domain.rules import AfterSame, Overlap, Rules
from cronq.services import notebook
from tests.services.cases import WorldTestCase, each_minute, once
from tests.services.test_watch import rerun
from tests.services.world import START, RunnerProcess
from tests.simulation.disk import Disk

#: Nothing comes by this queue.
ELSEWHERE = Queue("elsewhere", ("elsewhere",))


class FoundTestCase(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = self.world.start_results()
        self.injector = self.world.start_injector(republish_interval=1.0, order_interval=1.0)
        self.runner = self.world.start_runner()

    def attempts(self) -> list[tuple[int, str]]:
        """Attempt and status of each row of the ledger."""
        query = select(runs.c.attempt, runs.c.status).order_by(runs.c.id)
        return [(row.attempt, row.status) for row in self.world.rows(query)]

    def at_the_answer(self, trouble: Callable[[], None]) -> None:
        """Make trouble when results is about to say that the first start is granted."""

        def publish(message: Message) -> None:
            if message.direct:
                self.results.published = lambda _: None
                trouble()

        self.results.published = publish


class AttemptTests(FoundTestCase):
    """The next attempt has to wait for what may be running; and not for what never started."""

    def give_up(self) -> None:
        """The runner is granted the start, does not hear of it, and falls silent."""
        self.world.put(rerun("5 s"), once("other", "300 s", at="00:00:30"))
        self.at_the_answer(lambda: None)
        self.world.run_for(40)
        self.at_the_answer(self.runner.freeze)
        self.world.run_for(140)
        self.assertEqual(self.attempts(), [(1, "lost"), (1, "lost"), (2, "queued")])

    def assert_done_soon(self) -> None:
        self.world.run_for(40)
        again = self.world.rows(select(runs.c.status).where(runs.c.attempt == 2))
        self.assertEqual([row.status for row in again], ["succeeded"])

    def test_never_started(self) -> None:
        """What its runner was granted and had not begun when it was killed does not hold up the next one."""
        self.give_up()
        self.runner.kill()
        self.world.start_runner(queue=ELSEWHERE)
        self.world.run_for(15)
        self.world.start_runner("runner.2")
        self.assert_done_soon()

    def test_end_that_was_heard_and_not_written(self) -> None:
        """The end of a runner is told again, as whoever hears it may be killed before he notes it."""
        self.give_up()
        self.runner.kill()
        self.results.cut_database()
        self.world.start_runner(queue=ELSEWHERE)
        self.world.run_for(5)
        self.results.kill()
        self.world.start_results("results.2")
        self.world.run_for(15)
        self.world.start_runner("runner.2")
        self.assert_done_soon()

    def test_refused_afterwards(self) -> None:
        """A runner that asks again, and hears that it is too late, has not started it either."""
        self.give_up()
        self.runner.thaw()
        self.assert_done_soon()

    def test_handed_back_afterwards(self) -> None:
        """Nor has one that hands back what was given up, even if it stays for the sake of others."""
        self.give_up()
        self.runner.cut()
        self.runner.thaw()
        self.runner.stop()
        self.world.run_for(12)
        self.runner.restore()
        self.world.run_for(15)
        self.world.start_runner("runner.2")
        self.assert_done_soon()
        self.assertFalse(self.runner.is_dead)

    def test_new_at_the_place(self) -> None:
        """Who asks before he has been heard of may be where the command still runs."""
        self.world.put(rerun("300 s"))
        self.world.run_for(70)
        self.runner.freeze()
        self.runner.cut()
        self.world.run_for(110)
        self.assertEqual(self.attempts(), [(1, "lost"), (2, "queued")])
        self.world.start_runner("runner.2", machine="runner.1")
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.attempts()), (1, [(1, "lost"), (2, "queued")]))
        self.runner.thaw()
        self.runner.restore()
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.attempts()), (2, [(1, "lost"), (2, "running")]))
        self.assertEqual(len(self.world.launcher.running()), 1)


class LateTests(FoundTestCase):
    def test_copy_of_a_request(self) -> None:
        """A request that comes again when its start was given up long ago makes nothing lost."""
        asked: list[Message] = []
        self.runner.published = asked.append
        self.world.put(once(), once("other", "300 s", at="00:00:30"))
        self.world.run_for(58)
        self.results.freeze()
        self.world.run_for(5)
        self.runner.stop()
        self.hand_back(self.world.start_runner("runner.2"))
        late = next(message for message in asked if self.asks_for_a_start(message))
        self.world.publish(Message(RESULTS, late.body, "late", reply_to=late.reply_to))
        self.world.start_runner("runner.3")
        self.world.run_for(60)
        self.assertEqual(self.statuses(), {"running": 1, "succeeded": 1})
        self.assert_none_twice()

    def hand_back(self, other: RunnerProcess) -> None:
        """The first runner, which is stopping, hands it back, and this one does so, too."""
        self.world.run_for(12)
        other.stop()
        self.world.run_for(12)
        self.results.thaw()
        self.world.run_for(1)
        self.assertEqual(self.statuses(), {"running": 1, "queued": 1})

    def asks_for_a_start(self, message: Message) -> bool:
        if message.routing_key != RESULTS:
            return False
        report = ResultMessage.decode(message.body)
        (run,) = self.world.rows(select(runs.c.run_id).where(runs.c.status == "queued"))
        return report.report is Report.STARTING and report.run_id == run.run_id

    def test_asked_again_when_it_was_given_up(self) -> None:
        """A runner that turns up and asks again whether to start what was given up may do so."""
        self.world.put(once())
        self.at_the_answer(self.runner.freeze)
        self.world.run_for(170)
        self.assertEqual(self.statuses(), {"lost": 1})
        self.runner.thaw()
        self.world.run_for(60)
        self.assertEqual((self.statuses(), len(self.starts)), ({"succeeded": 1}, 1))

    def test_result_of_the_moment_of_the_loss(self) -> None:
        """A result counts that was reported in the very instant in which its run was given up elsewhere."""
        self.world.put(rerun("5 s"))
        self.world.run_for(64)
        (run,) = self.world.rows(select(runs))
        ended = ResultMessage(
            run.run_id, run.job_id, Report.FINISHED, self.world.now(), "host", return_code=3, run_time=4.0
        )
        lost = replace(ended, report=Report.LOST, return_code=None, run_time=None, reason="it was lost")
        for each in lost, ended:
            self.world.do(record_reports, [each])
        (run,) = self.world.rows(select(runs).where(runs.c.attempt == 1))
        self.assertEqual((run.status, run.return_code), ("lost", 3))
        self.world.do(record_reports, [ended])
        (again,) = self.world.rows(select(runs).where(runs.c.attempt == 1))
        self.assertEqual(again, run)

    def test_clock_set_back_between_lives(self) -> None:
        """What ended with a runner is known at once, whatever the clock of its machine shows since."""
        self.world.put(once())
        self.at_the_answer(self.runner.freeze)
        self.world.run_for(62)
        self.runner.kill()
        self.world.set_ahead("runner.1", -3600)
        self.world.start_runner()
        self.world.run_for(45)
        run = self.the_run()
        self.assertEqual((run.status, run.reason), ("lost", "its runner has ended without it"))


class DiskTests(FoundTestCase):
    def test_full_for_a_moment(self) -> None:
        """What could not be noted is noted as soon as there is space, and not with the next note."""
        disk = Disk(random.Random(1))
        self.patch(notebook, "os", disk)
        self.world.put(once(command="300 s"))
        self.world.run_for(50)
        disk.full.add(self.world.folder.resolve() / "runner.1")
        self.world.run_for(15)
        disk.full.clear()
        self.world.run_for(15)
        self.runner.kill()
        self.world.start_runner()
        self.world.run_for(1)
        self.assertEqual((self.world.launcher.running(), self.statuses()), ([], {"lost": 1}))


class DrainTests(FoundTestCase):
    def test_stopped_while_it_drains(self) -> None:
        """A runner that is told to stop, and had been ordered to drain, ends once."""
        exits: list[str] = []
        self.patch(RunnerProcess, "exit", lambda process: exits.append(process.name))
        runner = self.world.start_runner("runner.2")
        self.runner.kill()
        self.world.put(once(command="100 s"))
        self.world.run_for(65)
        self.world.do(order_drain, runner.identity.runner, "wanted")
        self.world.run_for(5)
        stopped = runner.stop()
        self.assert_stops(stopped, seconds=90)
        self.assertEqual(exits, [])


class FollowTests(FoundTestCase):
    def runs_of(self, name: str) -> list[tuple[str, str | None, str]]:
        """Slot, cause and status of each, by slots."""
        query = select(runs).join(jobs, jobs.c.id == runs.c.job_id).where(jobs.c.name == name)
        return [
            (f"{row.slot:%H:%M}", row.cause, row.status)
            for row in self.world.rows(query.order_by(runs.c.slot, runs.c.attempt))
        ]

    def test_slots_of_its_own(self) -> None:
        """What has a schedule besides runs once for a slot, and not again when that was missed."""
        self.injector.kill()
        self.world.put(
            each_minute("first", "1 s"), replace(each_minute("then"), rules=Rules(after=("first",)))
        )
        self.world.run_for(200)
        self.world.start_injector("injector.2", republish_interval=1.0)
        self.world.run_for(10)
        self.world.do(begin_backfill, 1, Wanted(START, self.world.now(), Order.OLDEST, 1, ""), 3)
        self.world.run_for(20)
        self.assertEqual([row[1] for row in self.runs_of("first")], [None, "backfill", "backfill", None])
        self.assertEqual(self.runs_of("then"), [("00:01", None, "missed"), ("00:03", None, "succeeded")])
        self.assert_audit_clean()

    def test_day_in_progress(self) -> None:
        """The run of a day is not replaced by itself when there are more successes on that day."""
        rules = Rules(after=("first",), after_same=AfterSame.DAY, overlap=Overlap.REPLACE)
        self.world.put(each_minute("first", "1 s", "4"), JobDefinition("then", None, "200 s", rules=rules))
        self.world.run_for(400)
        self.assertEqual(self.runs_of("then"), [("00:00", "after", "succeeded")])


class BackfillTests(FoundTestCase):
    def fill(self, since: datetime, until: datetime) -> None:
        self.world.do(begin_backfill, 1, Wanted(since, until, Order.NEWEST, 3, "the outage"), 1)

    def test_asked_for_in_the_outage(self) -> None:
        """Slots that no injector has taken when the backfill is asked for are not left out."""
        self.injector.kill()
        self.world.put(each_minute(command="1 s"))
        self.world.run_for(210)
        self.fill(START, self.world.now())
        self.world.start_injector("injector.2", republish_interval=1.0)
        self.world.run_for(20)
        self.assertEqual(self.statuses(), {"missed": 1, "succeeded": 3})
        self.assert_audit_clean()

    def test_retries(self) -> None:
        """A slot that was missed is tried again as often as those that follow it."""
        self.injector.kill()
        self.world.put(replace(each_minute(command="1 s exit 1", count="3"), rules=Rules(retries=1)))
        self.world.run_for(210)
        self.world.start_injector("injector.2", republish_interval=1.0)
        self.world.run_for(2)
        self.fill(START, START + timedelta(seconds=150))
        self.world.run_for(200)
        self.assertEqual(self.statuses(), {"missed": 1, "failed": 6})
