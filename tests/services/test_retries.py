"""Slots that are tried again: over all daemons, and over what befalls them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from cronq.database.tables import jobs, runs
from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import OnLost, Rules
from tests.services.cases import WorldTestCase
from tests.services.world import START


def retried(command: str, **rules: Any) -> JobDefinition:
    """A job with one slot, and at most two retries."""
    return JobDefinition(
        "again", "R1/2026-01-01T00:01:00Z/P1D", command, rules=Rules(**({"retries": 2} | rules))
    )


class RetryTests(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = self.world.start_results()
        self.injector = self.world.start_injector(republish_interval=1.0, order_interval=1.0)
        self.runner = self.world.start_runner()

    def attempts(self) -> list[tuple[int, str]]:
        query = select(runs.c.attempt, runs.c.status).order_by(runs.c.id)
        return [(row.attempt, row.status) for row in self.world.rows(query)]

    def latest(self) -> Any:
        return self.world.rows(select(runs).order_by(runs.c.id))[-1]

    def seconds_of_starts(self) -> list[int]:
        return [round((start.at - START).total_seconds()) for start in self.starts]

    def test_failing(self) -> None:
        """What goes on to fail has so many attempts, each so long after the one before; the last says so."""
        self.world.put(retried("5 s exit 3", retry_delay=timedelta(seconds=30), retry_backoff=3))
        self.world.run_for(66)
        self.assertEqual(self.attempts(), [(1, "failed"), (2, "queued")])
        self.assertRegex(
            self.latest().reason,
            "^attempt 2 of at most 3: it waits until .* 00:01:35 UTC,"
            " since attempt 1 failed with exit code 3$",
        )
        self.world.run_for(300)
        self.assertEqual(self.attempts(), [(1, "failed"), (2, "failed"), (3, "failed")])
        self.assertEqual(self.seconds_of_starts(), [60, 95, 190])
        self.assertEqual(self.latest().reason, "this was attempt 3, and there is no more")
        self.assertEqual([start.environment["CRONQ_ATTEMPT"] for start in self.starts], ["1", "2", "3"])
        self.assert_audit_clean()

    def test_succeeding(self) -> None:
        """What succeeds is not tried again."""
        self.world.put(retried("5 s"))
        self.world.run_for(600)
        self.assertEqual(self.attempts(), [(1, "succeeded")])

    def test_by_hand(self) -> None:
        """A run by hand is tried again as any other."""
        self.world.put(
            JobDefinition("again", "R1/2026-01-02T00:00:00Z/P1D", "missing", rules=Rules(retries=1))
        )
        self.world.execute(update(jobs).values(run_now=1))
        self.injector.services[0].wake()
        self.world.run_for(200)
        self.assertEqual(self.attempts(), [(1, "failed"), (2, "failed")])

    def test_restart_of_everything(self) -> None:
        """What waits for its next attempt needs no process that remembers it, and no broker."""
        self.world.put(retried("5 s exit 3", retry_delay=timedelta(minutes=10)))
        self.world.run_for(70)
        for process in (self.results, self.injector, self.runner):
            process.kill()
        self.world.broker.down()
        self.world.run_for(300)
        self.world.broker.up()
        self.setUp_again()
        self.world.run_for(1000)
        self.assertEqual(self.seconds_of_starts(), [60, 665, 1270])
        self.assert_audit_clean()

    def setUp_again(self) -> None:
        self.world.start_results()
        self.world.start_injector("injector.2", republish_interval=1.0)
        self.world.start_runner("runner.2")

    def test_restart_of_all_in_one(self) -> None:
        """A broker that forgets all at its end does not make an attempt start early."""
        self.new_world()
        process = self.world.start_all_in_one()
        self.world.put(retried("5 s exit 3", retry_delay=timedelta(minutes=10)))
        self.world.run_for(70)
        process.kill()
        self.world.start_all_in_one()
        self.world.run_for(650)
        self.assertEqual(self.seconds_of_starts(), [60, 665])

    def test_lost(self) -> None:
        """A lost run counts as one that failed."""
        self.lose(retried("1000 s"))
        self.assertEqual(self.attempts(), [(1, "lost"), (2, "running")])
        self.assertRegex(self.world.rows(select(runs))[0].reason, "has not been heard of")

    def test_lost_stays_lost(self) -> None:
        """Unless its job says that such a run stays as it is."""
        self.lose(retried("1000 s", on_lost=OnLost.FAIL))
        self.assertEqual(self.attempts(), [(1, "lost")])

    def lose(self, job: JobDefinition) -> None:
        self.world.put(job)
        self.world.run_for(70)
        for command in self.world.launcher.running():
            command.vanish()
        self.runner.kill()
        self.world.start_runner("runner.2")
        self.world.run_for(200)

    def test_removed_meanwhile(self) -> None:
        """An attempt of a job that was removed is skipped, and says so."""
        self.world.put(retried("5 s exit 3"))
        self.world.run_for(70)
        self.world.put()
        self.world.run_for(200)
        self.assertEqual(self.attempts(), [(1, "failed"), (2, "skipped")])
        self.assertEqual(self.latest().reason, "its job was removed before it started")

    def test_changed_meanwhile(self) -> None:
        """An attempt runs what its slot was made with."""
        self.world.put(retried("5 s exit 3"))
        self.world.run_for(70)
        self.world.put(retried("7 s"))
        self.world.run_for(200)
        self.assertEqual(self.attempts(), [(1, "failed"), (2, "failed"), (3, "failed")])

    def test_rules_changed_meanwhile(self) -> None:
        """A run is tried again as its job asked for when it was made."""
        self.world.put(retried("5 s exit 3"))
        self.world.run_for(62)
        self.world.put(retried("5 s exit 3", retries=0))
        self.world.run_for(400)
        self.assertEqual(self.attempts(), [(1, "failed"), (2, "failed"), (3, "failed")])

    def test_waiting_for_long(self) -> None:
        """An attempt that is to wait for two hours is nothing that an audit finds."""
        self.world.put(retried("5 s exit 3", retry_delay=timedelta(hours=2)))
        self.world.run_for(6000)
        self.assertEqual(self.attempts(), [(1, "failed"), (2, "queued")])
        self.assert_audit_clean()
