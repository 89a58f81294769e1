"""The injector: every slot is recorded and published once, and nothing is done when nothing is due."""

import json
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import select

from cronq.broker.interface import JOBS, Queue
from cronq.database.outbox import FIRST_PAUSE, LONGEST_PAUSE
from cronq.database.tables import jobs, runs
from cronq.domain.findings import Kind
from cronq.domain.jobs import JobDefinition
from tests.services.cases import WorldTestCase, each_minute, once
from tests.services.world import START


class InjectorTestCase(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.begin()

    def begin(self) -> None:
        """A new world with queues that no one reads."""
        self.new_world()
        self.world.process("whoever declares the queues")
        self.world.run_for(0)

    def published(self) -> list[str]:
        """The run ids in the queue."""
        return [json.loads(body)["run_id"] for body in self.world.broker.messages(JOBS)]

    def assert_published_once(self, count: int) -> None:
        published = self.published()
        self.assertEqual((len(published), len(set(published))), (count, count))


class SleepTests(InjectorTestCase):
    def test_sleeps_until_the_next_slot(self) -> None:
        """Between two slots it does not even look at the database."""
        self.world.put(JobDefinition("each hour", "R/2026-01-01T00:00:00Z/PT1H", "5 s"))
        self.world.start_injector(republish_interval=1e9, order_interval=1e9)
        self.world.run_for(60)
        before = self.world.transactions
        self.world.run_for(24 * 3600)
        self.assert_published_once(24)
        passes = (self.world.transactions - before) / 24
        self.assertLessEqual(passes, 4)  # claim, publish, the next slot; and one more look an hour

    def test_longest_sleep(self) -> None:
        """It looks again after the interval at the latest, as others may change what is due."""
        self.world.start_injector(interval=10, republish_interval=1e9)
        self.world.run_for(30)
        self.world.put(once(at="00:00:35"))
        self.world.run_for(10)
        self.assert_published_once(1)

    def test_no_jobs(self) -> None:
        """Without jobs it looks once an interval."""
        self.world.start_injector(interval=10, republish_interval=1e9, order_interval=1e9)
        self.world.run_for(1000)
        self.assertLessEqual(self.world.transactions, 4 + 2 * 101)

    def test_run_by_hand(self) -> None:
        """A run that is wanted by hand is published when it is woken, and once."""
        self.world.put(each_minute())
        injector = self.world.start_injector()
        self.world.run_for(1)
        for _ in range(3):
            self.world.execute(jobs.update().values(run_now=1))
        injector.services[0].wake()
        self.world.run_for(1)
        self.assert_published_once(1)
        self.assertIsNone(self.the_run().slot)

    def test_clock_of_the_database_jumps(self) -> None:
        """A clock that is set back makes no slot run again; one that is set forward leaves a missed row."""
        self.world.put(each_minute())
        self.world.start_injector(interval=10)
        self.world.run_for(310)
        self.world.jump(-200)
        self.world.run_for(190)
        self.assert_published_once(5)
        self.world.run_for(60)
        self.assert_published_once(6)
        self.world.jump(600)
        self.world.run_for(20)
        self.assertEqual(self.statuses(), {"queued": 7, "missed": 1})
        self.assertEqual(self.slots(), {"job": 16})
        self.assert_audit_clean()


class ManyTests(InjectorTestCase):
    def test_many_due_at_once(self) -> None:
        """All of 1,200 jobs that are due at the same instant are published then."""
        self.world.put(*(once(f"job {number}") for number in range(1200)))
        self.world.start_injector()
        self.world.run_for(60)
        self.assert_published_once(1200)
        self.assertEqual({row.queued_at for row in self.world.rows(select(runs))}, {_minute(1)})

    def test_several_injectors(self) -> None:
        """Three injectors share the slots, and none is published twice."""
        self.world.put(*(each_minute(f"job {number}") for number in range(20)))
        for number in range(3):
            self.world.start_injector(f"injector.{number}", interval=2, republish_interval=1e9)
        self.world.run_for(605)
        self.assertEqual(self.slots(), {f"job {number}": 10 for number in range(20)})
        self.assert_published_once(200)

    def test_unreadable_schedule(self) -> None:
        """A schedule that someone broke in the database is told once, and the other jobs run."""
        self.world.put(each_minute("good"), each_minute("broken"))
        self.world.execute(jobs.update().where(jobs.c.name == "broken").values(schedule="every day"))
        self.world.start_injector()
        self.world.run_for(300)
        self.assertEqual(self.slots(), {"good": 5})
        self.assert_said("its stored schedule cannot be read")

    def test_unroutable(self) -> None:
        """A job whose routing key no queue is bound to has unroutable runs, at once and with the reason."""
        self.world.put(once("lonely", routing_key="nowhere"), once("good"))
        self.world.start_injector()
        self.world.run_for(60)
        self.assertEqual(self.statuses(), {"unroutable": 1, "queued": 1})
        (reason,) = self.world.rows(select(runs.c.reason).where(runs.c.status == "unroutable"))
        self.assertIn("no queue is bound to routing key 'nowhere'", reason[0])
        self.assert_said("no queue is bound to routing key 'nowhere' of job . .'lonely'")
        self.assert_published_once(1)

    def test_routing_keys(self) -> None:
        """A run goes to the queue that its job's routing key leads to."""
        slow = self.world.start_runner("slow", queue=Queue("slow", ("slow", "very slow")))
        self.world.run_for(0)
        slow.kill()
        self.world.put(once("a", routing_key="slow"), once("b", routing_key="very slow"), once("c"))
        self.world.start_injector()
        self.world.run_for(60)
        self.assertEqual((len(self.world.broker.messages("slow")), len(self.published())), (2, 1))


class OutageTests(InjectorTestCase):
    def test_broker_away(self) -> None:
        """Slots of an outage stay due: the latest runs afterwards, the earlier ones are one missed row."""
        self.world.put(each_minute("frequent"), once("rare"))
        self.world.start_injector()
        self.world.run_for(30)
        self.world.broker.down()
        self.world.run_for(10 * 60)
        self.assertEqual(self.statuses(), {})
        self.assertEqual([each.kind for each in self.world.audit()], [Kind.UNCLAIMED] * 2)
        self.world.broker.up()
        self.world.run_for(1)
        self.assertEqual(self.statuses(), {"queued": 2, "missed": 1})
        self.assertEqual(self.slots(), {"frequent": 10, "rare": 1})
        (missed,) = self.world.rows(select(runs).where(runs.c.status == "missed"))
        self.assertEqual((missed.slot, missed.last_slot, missed.slots), (_minute(1), _minute(9), 9))
        queued = self.world.rows(select(runs.c.slot).where(runs.c.status == "queued"))
        self.assertEqual({row.slot for row in queued}, {_minute(1), _minute(10)})
        self.assert_audit_clean()
        self.assert_published_once(2)

    def test_injectors_away(self) -> None:
        """So it is when no injector was there."""
        self.world.put(each_minute())
        self.world.run_for(10 * 60 + 30)
        self.world.start_injector()
        self.world.run_for(1)
        self.assertEqual((self.statuses(), self.slots()), ({"queued": 1, "missed": 1}, {"job": 10}))
        self.assert_audit_clean()

    def test_broker_lost_while_it_publishes(self) -> None:
        """What was recorded and never confirmed is published again, at whatever step the broker was lost."""
        for turn in range(1, 11):
            self.begin()
            self.world.put(*(once(f"job {number}") for number in range(30)))
            injector = self.world.start_injector(republish_interval=1)
            self.world.run_for(59.9)
            self.world.clock.after_turns(turn, injector.cut)
            self.world.run_for(1)
            injector.restore()
            self.world.run_for(30)
            self.assertEqual(self.statuses(), {"queued": 30})
            self.assertEqual(set(self.published()), {row.run_id for row in self.world.rows(select(runs))})

    def test_database_away(self) -> None:
        """The trouble is told once, and slots are run when it is over."""
        self.world.put(each_minute())
        self.world.start_injector(interval=1, republish_interval=1e9)
        self.world.run_for(90)
        self.world.database_down()
        self.world.run_for(200)
        self.world.database_up()
        self.world.run_for(20)
        self.assertEqual(self.statuses(), {"queued": 3, "missed": 1})
        self.assertEqual(self.slots(), {"job": 5})
        self.assertEqual(
            self.said("^injector: "), ["injector: the database does not answer", "injector: goes on"]
        )
        self.assert_audit_clean()


class RepublisherTests(InjectorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.world.put(once())
        self.injector = self.world.start_injector(republish_interval=2)
        self.world.run_for(61)

    def test_purged_queue(self) -> None:
        """A run whose message was lost is published again, with pauses that grow."""
        self.assert_published_once(1)
        lost_at = []
        for second in range(0, 3 * LONGEST_PAUSE, 5):
            if self.published():
                lost_at.append(second)
                self.world.broker.purge(JOBS)
            self.world.run_for(5)
        pauses = [later - earlier for earlier, later in pairwise(lost_at)]
        expected = [FIRST_PAUSE * 2**n for n in range(6)] + [LONGEST_PAUSE]
        self.assertEqual([round(pause, -1) for pause in pauses], expected)
        self.assert_said("queued runs were never started; publishing them again", times=len(pauses))

    def test_started_run_is_left_alone(self) -> None:
        """A run that has started is not published again."""
        self.world.start_results()
        self.world.start_runner()
        self.world.run_for(2 * LONGEST_PAUSE)
        self.assertEqual((self.statuses(), self.published()), ({"succeeded": 1}, []))
        self.assert_said("publishing them again", times=0)

    def test_late_start_of_both(self) -> None:
        """When the first message turns up after all, there is one start and one refusal."""
        self.world.run_for(FIRST_PAUSE + 2)
        self.assertEqual(len(self.published()), 2)
        self.world.start_results()
        self.world.start_runner("runner.1", concurrency=1)
        self.world.start_runner("runner.2", concurrency=1)
        self.world.run_for(60)
        self.assertEqual((len(self.starts), self.statuses(), self.published()), (1, {"succeeded": 1}, []))

    def test_several_injectors(self) -> None:
        """One of them does it."""
        for number in range(3):
            self.world.start_injector(f"another {number}", republish_interval=1)
        self.world.broker.purge(JOBS)
        self.world.run_for(FIRST_PAUSE + 2)
        self.assert_published_once(1)

    def test_queue_is_gone(self) -> None:
        """When its queue is no more, the run is unroutable."""
        self.world.broker.purge(JOBS)
        self.world.broker._server.delete(self.world.broker._server._queues[JOBS])
        self.world.run_for(FIRST_PAUSE + 2)
        self.assertEqual(self.statuses(), {"unroutable": 1})

    def test_broker_away(self) -> None:
        """While the broker is away nothing is claimed in vain, and afterwards it is published."""
        self.world.broker.purge(JOBS)
        self.world.broker.down()
        self.world.run_for(2 * LONGEST_PAUSE)
        self.world.broker.up()
        self.world.run_for(2)
        self.assert_published_once(1)


def _minute(number: int) -> datetime:
    return START + timedelta(minutes=number)
