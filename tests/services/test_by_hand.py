"""Runs that people ask for, from the request to the ledger."""

from dataclasses import replace

from cronq.database.by_hand import make_run
from cronq.database.kills import kill_run
from cronq.database.tables import jobs, runs
from cronq.domain.requests import RunRequest
from cronq.domain.rules import OnLost, Rules
from tests.services.cases import WorldTestCase, once

REQUEST = RunRequest("anna", "it came late", {"DAY": "1"}, ("-f", "a b"))


class ByHandTests(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.world.put(
            replace(once(at="23:00:00"), rules=Rules(on_lost=OnLost.RERUN, environment={"A": "1"}))
        )
        self.world.start_results()
        self.runner = self.world.start_runner()

    def ask(self, request: RunRequest = REQUEST) -> str:
        made = self.world.do(make_run, 1, request)
        assert made is not None
        return made.run_id

    def test_run(self) -> None:
        """The command is given what was asked for, and no slot is touched."""
        self.world.start_injector(republish_interval=1.0)
        run_id = self.ask()
        self.world.run_for(10)
        self.assertEqual(self.world.launcher.runs(), [run_id])
        asked = self.starts[0].asked
        self.assertEqual(
            (asked.arguments, asked.variables["A"], asked.variables["DAY"]), (("-f", "a b"), "1", "1")
        )
        self.assertEqual(self.starts[0].environment["CRONQ_SLOT"], "")
        self.assertEqual((self.the_run().status, self.the_run().request), ("succeeded", REQUEST.encode()))
        self.assert_audit_clean()

    def test_several(self) -> None:
        """Each request is a run, though they come at once, and one by the flag of 0.27 besides."""
        asked = {self.ask() for _ in range(3)}
        self.world.execute(jobs.update().values(run_now=1))
        self.world.start_injector(republish_interval=1.0)
        self.world.run_for(10)
        self.assertEqual((len(asked), len(self.starts)), (3, 4))
        self.assertLess(asked, set(self.world.launcher.runs()))
        self.assert_audit_clean()

    def test_no_injector(self) -> None:
        """It waits for an injector, and for the broker, and is called off like any other."""
        waits, called_off = self.ask(), self.ask()
        self.world.run_for(600)
        self.world.do(kill_run, called_off, "killed by anna")
        self.world.broker.down()
        self.world.start_injector(republish_interval=1.0)
        self.world.run_for(60)
        self.assertEqual(self.starts, [])
        self.world.broker.up()
        self.world.run_for(60)
        self.assertEqual(self.world.launcher.runs(), [waits])

    def test_lost(self) -> None:
        """Another attempt at a run that was lost is given the same."""
        self.world.start_injector(republish_interval=1.0)
        self.world.execute(jobs.update().values(command="600 s"))
        self.ask()
        self.world.run_for(10)
        self.runner.kill()
        self.world.start_runner("runner.2")
        self.world.run_for(300)
        self.assertEqual([start.asked.arguments for start in self.starts], [("-f", "a b")] * 2)
        self.assertEqual({row.request for row in self.world.rows(runs.select())}, {REQUEST.encode()})

    def test_changed_before_it_starts(self) -> None:
        """It is run as the job was when it was asked for."""
        self.ask()
        self.world.put(once(at="22:00:00", command="7 s"))
        self.world.start_injector(republish_interval=1.0)
        self.world.run_for(10)
        self.assertEqual(self.starts[0].asked.text, "5 s")

    def test_removed(self) -> None:
        """A removed job is not run; what was asked for before that is not started."""
        self.ask()
        self.world.put()
        self.assertIsNone(self.world.do(make_run, 1, REQUEST))
        self.assertIsNone(self.world.do(make_run, 7, REQUEST))
        self.world.start_injector(republish_interval=1.0)
        self.world.run_for(60)
        self.assertEqual((self.starts, self.statuses()), ([], {"skipped": 1}))

    def test_job_of_027(self) -> None:
        """A job that 0.27 stored, and nobody has put in place since, can be run by hand."""
        self.world.execute(jobs.insert().values(name="old", command="1 s", routing_key="default"))
        made = self.world.do(make_run, 2, RunRequest())
        self.world.start_injector(republish_interval=1.0)
        self.world.run_for(10)
        self.assertEqual(self.world.launcher.runs(), [made.run_id if made else None])
