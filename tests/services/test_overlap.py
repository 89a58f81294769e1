"""Runs of one job that would overlap: over all runners, and whoever asked for them."""

import itertools
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from twisted.internet.defer import Deferred

from cronq.broker.interface import Message
from cronq.database.tables import jobs, orders, runs
from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import Overlap, Rules
from tests.services.cases import WorldTestCase
from tests.services.world import START


def each_minute(command: str, count: int | str = "", **rules: Any) -> JobDefinition:
    """A job with so many slots, or without end, a minute apart."""
    return JobDefinition("job", f"R{count}/2026-01-01T00:01:00Z/PT1M", command, rules=Rules(**rules))


class OverlapTestCase(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = self.world.start_results()
        self.injector = self.world.start_injector(republish_interval=1.0, order_interval=1.0)
        self.runner = self.world.start_runner()
        self.other = self.world.start_runner("runner.2")

    def ledger(self) -> list[tuple[str, str]]:
        """Minute of the slot, and status, of each row."""
        query = select(runs.c.slot, runs.c.status).order_by(runs.c.id)
        return [(f"{row.slot:%H:%M}" if row.slot else "hand", row.status) for row in self.world.rows(query)]

    def reasons(self, status: str) -> list[str]:
        query = select(runs.c.reason).where(runs.c.status == status).order_by(runs.c.id)
        return [row.reason for row in self.world.rows(query)]

    def ask(self) -> None:
        """Ask for a run by hand."""
        self.world.execute(update(jobs).values(run_now=1))
        self.injector.services[0].wake()
        self.world.run_for(0.5)

    def most_at_once(self) -> int:
        """How many commands ever ran at the same time."""
        heard = self.world.launcher.heard
        spans = [(s.at, s.at + timedelta(seconds=heard[s.run_id].run_time)) for s in self.starts]
        most: int = max(sum(begin <= at < end for begin, end in spans) for at, _ in spans)
        return most

    def seconds(self) -> list[int]:
        return [round((start.at - START).total_seconds()) for start in self.starts]


class AllowTests(OverlapTestCase):
    def test_default(self) -> None:
        """Without a rule all slots run, whatever still runs."""
        self.world.put(each_minute("150 s", 4))
        self.world.run_for(600)
        self.assertEqual(self.seconds(), [60, 120, 180, 240])

    def test_at_most_two(self) -> None:
        """Those beyond the number wait, say so, and follow in their order as soon as there is room."""
        self.world.put(each_minute("150 s", 5, max_running=2))
        self.world.run_for(200)
        self.assertEqual(self.ledger(), [("00:01", "running"), ("00:02", "running"), ("00:03", "queued")])
        self.assertEqual(
            self.reasons("queued"), ["it waits, as at most 2 runs of its job may be running at once"]
        )
        self.world.run_for(800)
        self.assertEqual([round(s / 10) for s in self.seconds()], [6, 12, 21, 27, 36])
        self.assertEqual(self.most_at_once(), 2)
        self.assertEqual(self.statuses(), {"succeeded": 5})
        self.assert_audit_clean()

    def test_late_confirms(self) -> None:
        """Where runners ask before the broker's confirm has come, what they are refused waits no longer."""
        publish = self.injector.broker.publish

        def confirm_late(message: Message) -> Deferred[None]:
            confirmed: Deferred[None] = Deferred()
            publish(message).addBoth(
                lambda result: self.world.clock.callLater(0.5, confirmed.callback, result)
            )
            return confirmed

        self.patch(self.injector.broker, "publish", confirm_late)
        retries = Rules(max_running=1, retries=1, retry_delay=timedelta(seconds=4))
        self.world.put(JobDefinition("job", "R/2026-01-01T00:01:00Z/PT5S", "3 s exit 3", rules=retries))
        self.world.run_for(200)
        pauses = [after - before for before, after in itertools.pairwise(self.seconds())]
        self.assertLessEqual(max(pauses), 5)

    def test_limit_is_lifted(self) -> None:
        """What waits goes when the rule that made it wait is gone."""
        self.world.put(each_minute("1000 s", 3, max_running=1))
        self.world.run_for(200)
        self.assertEqual(self.statuses(), {"running": 1, "queued": 2})
        self.world.put(each_minute("1000 s", 3))
        self.world.run_for(5)
        self.assertEqual(self.statuses(), {"running": 3})

    def test_job_is_removed(self) -> None:
        """What waits for a job that is removed is skipped, and does not wait for ever."""
        self.world.put(each_minute("1000 s", 2, max_running=1))
        self.world.run_for(150)
        self.world.put()
        self.world.run_for(5)
        self.assertEqual(self.statuses(), {"running": 1, "skipped": 1})


class DeadlineTests(OverlapTestCase):
    def test_dead_in_the_queue(self) -> None:
        """What waited past its deadline gives its place to a slot that still can run."""
        self.world.put(each_minute("250 s", 6, overlap=Overlap.QUEUE, deadline=timedelta(seconds=80)))
        self.world.run_for(900)
        statuses = ["succeeded", "missed", "skipped", "succeeded", "skipped", "missed"]
        self.assertEqual([status for _, status in self.ledger()], statuses)
        self.assert_audit_clean()


class SkipTests(OverlapTestCase):
    def test_slots(self) -> None:
        """A slot that is due while one runs is skipped, with the run that was in its way."""
        self.world.put(each_minute("90 s", 4, overlap=Overlap.SKIP))
        self.world.run_for(600)
        self.assertEqual(
            self.ledger(),
            [("00:01", "succeeded"), ("00:02", "skipped"), ("00:03", "succeeded"), ("00:04", "skipped")],
        )
        self.assertEqual(
            self.reasons("skipped")[0], "the run for 2026-01-01 00:01:00 UTC on host had not ended"
        )
        self.assert_audit_clean()

    def test_by_hand(self) -> None:
        """A run by hand is no exception, and one by hand keeps a slot from running."""
        self.world.put(each_minute("70 s", 2, overlap=Overlap.SKIP))
        self.world.run_for(30)
        self.ask()
        self.world.run_for(40)
        self.ask()
        self.world.run_for(300)
        self.assertEqual(
            self.ledger(),
            [("hand", "succeeded"), ("00:01", "skipped"), ("hand", "skipped"), ("00:02", "succeeded")],
        )
        self.assertEqual(self.reasons("skipped")[0], "a run by hand on host had not ended")

    def test_retries(self) -> None:
        """A slot that is still being tried is not over, though nothing runs while its next attempt waits."""
        self.world.put(
            each_minute("10 s exit 1", 4, overlap=Overlap.SKIP, retries=1, retry_delay=timedelta(seconds=70))
        )
        self.world.run_for(600)
        self.assertEqual(
            self.ledger(),
            [
                ("00:01", "failed"),
                ("00:01", "failed"),
                ("00:02", "skipped"),
                ("00:03", "failed"),
                ("00:03", "failed"),
                ("00:04", "skipped"),
            ],
        )
        self.assertEqual(self.most_at_once(), 1)
        self.assert_audit_clean()

    def test_two_messages_at_once(self) -> None:
        """When two got through to the runners, because the rule is newer, one of them is refused."""
        self.world.broker.down()
        self.world.put(each_minute("90 s", 1))
        self.world.run_for(70)
        self.world.execute(update(jobs).values(run_now=1))
        self.runner.freeze()
        self.other.freeze()
        self.world.broker.up()
        self.world.run_for(5)
        self.assertEqual(self.statuses(), {"queued": 2})
        self.world.execute(update(jobs).values(rules=Rules(overlap=Overlap.SKIP).encode()))
        self.runner.thaw()
        self.other.thaw()
        self.world.run_for(200)
        self.assertEqual(self.statuses(), {"succeeded": 1, "skipped": 1})

    def test_lost_run(self) -> None:
        """A run that is lost does not block its job for ever."""
        self.world.put(each_minute("10000 s", "", overlap=Overlap.SKIP))
        self.world.run_for(70)
        for command in self.world.launcher.running():
            command.vanish()
        self.runner.kill()
        self.other.kill()
        self.world.start_runner("runner.3")
        self.world.run_for(240)
        self.assertEqual(self.ledger()[0], ("00:01", "lost"))
        self.assertIn("running", self.statuses())


class QueueTests(OverlapTestCase):
    def test_one_waits(self) -> None:
        """One waits until the other has ended; while it waits the slots that follow are skipped."""
        self.world.put(each_minute("200 s", 4, overlap=Overlap.QUEUE))
        self.world.run_for(130)
        self.assertEqual(
            self.reasons("queued"), ["it waits until the run for 2026-01-01 00:01:00 UTC on host has ended"]
        )
        self.world.run_for(1000)
        self.assertEqual(
            self.ledger(),
            [("00:01", "succeeded"), ("00:02", "succeeded"), ("00:03", "skipped"), ("00:04", "skipped")],
        )
        self.assertEqual([round(s / 10) for s in self.seconds()], [6, 26])
        self.assertEqual(
            self.reasons("skipped")[0],
            "the run for 2026-01-01 00:01:00 UTC on host had not ended, and the run for"
            " 2026-01-01 00:02:00 UTC was waiting already",
        )
        self.assert_audit_clean()

    def test_restart_of_everything(self) -> None:
        """What waits is remembered by the database alone."""
        self.world.put(each_minute("200 s", 2, overlap=Overlap.QUEUE))
        self.world.run_for(130)
        self.results.kill()
        self.injector.kill()
        self.world.broker.purge("cronq_jobs")
        self.world.run_for(300)
        self.world.start_results()
        self.world.start_injector("injector.2", republish_interval=1.0)
        self.world.run_for(400)
        self.assertEqual(self.statuses(), {"succeeded": 2})
        self.assertEqual(self.most_at_once(), 1)

    def test_retries_first(self) -> None:
        """A slot is tried to its end before the one that waits begins."""
        self.world.put(each_minute("50 s exit 1", 2, overlap=Overlap.QUEUE, retries=1))
        self.world.run_for(600)
        attempts = [
            (start.environment["CRONQ_SLOT"][11:16], start.environment["CRONQ_ATTEMPT"])
            for start in self.starts
        ]
        self.assertEqual(attempts, [("00:01", "1"), ("00:01", "2"), ("00:02", "1"), ("00:02", "2")])
        self.assertEqual(self.most_at_once(), 1)


class ReplaceTests(OverlapTestCase):
    def test_kill(self) -> None:
        """The one that runs is killed, by the runner that has it, and then the new one starts."""
        self.world.put(each_minute("90 s", 3, overlap=Overlap.REPLACE))
        self.world.run_for(600)
        self.assertEqual(self.ledger(), [("00:01", "killed"), ("00:02", "killed"), ("00:03", "succeeded")])
        self.assertEqual(self.reasons("killed")[0], "replaced by the run for 2026-01-01 00:02:00 UTC")
        self.assertEqual(self.most_at_once(), 1)
        self.assertTrue(all(second % 60 <= 3 for second in self.seconds()))
        self.assert_audit_clean()

    def test_old_one_will_not_die(self) -> None:
        """As long as it lives the latest waits, those between are replaced, and never do two run."""
        self.world.put(each_minute("1000 s", 4, overlap=Overlap.REPLACE))
        self.world.run_for(70)
        (stubborn,) = self.world.launcher.running()
        stubborn.immortal = True
        self.world.run_for(230)
        self.assertEqual(
            self.ledger(),
            [("00:01", "running"), ("00:02", "skipped"), ("00:03", "skipped"), ("00:04", "queued")],
        )
        self.assertEqual(self.reasons("skipped")[1], "replaced by the run for 2026-01-01 00:04:00 UTC")
        self.assertEqual(
            self.reasons("queued"),
            ["it waits until the run for 2026-01-01 00:01:00 UTC on host, which it replaces, has ended"],
        )
        self.assertEqual(len(self.world.rows(select(orders))), 1)
        stubborn.immortal = False
        self.world.run_for(20)
        self.assertEqual([row[1] for row in self.ledger()], ["killed", "skipped", "skipped", "running"])

    def test_machine_of_the_old_one_is_gone(self) -> None:
        """Nobody can kill it; as soon as it is lost the new one starts."""
        self.world.put(each_minute("1000 s", 2, overlap=Overlap.REPLACE))
        self.world.run_for(70)
        for command in self.world.launcher.running():
            command.vanish()
        self.runner.kill()
        self.other.kill()
        self.world.start_runner("runner.3")
        self.world.run_for(60)
        self.assertEqual([row[1] for row in self.ledger()], ["running", "queued"])
        self.world.run_for(60)
        self.assertEqual([row[1] for row in self.ledger()], ["lost", "running"])

    def test_one_that_has_not_started(self) -> None:
        """What waits for a runner makes way at once."""
        self.runner.stop()
        self.other.stop()
        self.world.put(each_minute("5 s", 3, overlap=Overlap.REPLACE))
        self.world.run_for(200)
        self.assertEqual([row[1] for row in self.ledger()], ["skipped", "skipped", "queued"])
        self.world.start_runner("runner.3")
        self.world.run_for(200)
        self.assertEqual([row[1] for row in self.ledger()], ["skipped", "skipped", "succeeded"])

    def test_retries(self) -> None:
        """An older slot is not tried again once a newer one runs."""
        self.world.put(
            each_minute(
                "50 s exit 1", 2, overlap=Overlap.REPLACE, retries=1, retry_delay=timedelta(seconds=30)
            )
        )
        self.world.run_for(600)
        self.assertEqual(
            self.ledger(),
            [("00:01", "failed"), ("00:01", "skipped"), ("00:02", "failed"), ("00:02", "failed")],
        )
