"""Rules of how a command is run, from the document to the ledger."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from cronq.broker.interface import JOBS
from cronq.database.output_tables import outputs
from cronq.database.tables import jobs
from cronq.domain.jobs import JobDefinition
from cronq.domain.rules import Rules
from tests.services.cases import WorldTestCase, once


def ruled(command: str, name: str = "job", **rules: Any) -> JobDefinition:
    """A job with one slot and these rules."""
    return replace(once(name, command), rules=Rules(**rules))


class RulesTestCase(WorldTestCase):
    """Runs jobs with rules."""

    def setUp(self) -> None:
        super().setUp()
        self.world.start_results()
        self.runner = self.world.start_runner()
        self.world.start_injector()

    def end_of(self, command: str, seconds: float = 60, **rules: Any) -> tuple[str, int | None, str | None]:
        """Status, return code and reason of a run that may take so long."""
        self.world.put(ruled(command, **rules))
        self.world.run_for(60 + seconds)
        run = self.the_run()
        return run.status, run.return_code, run.reason


class TimeoutTests(RulesTestCase):
    """The rule `timeout`, and `kill_grace`."""

    def test_too_long(self) -> None:
        """A command that runs longer is ended and has timed out; the reason says what it was allowed."""
        self.assertEqual(
            self.end_of("50 s", timeout=timedelta(seconds=10)),
            ("timed_out", 143, "it ran longer than its timeout of 10 seconds"),
        )
        self.assertEqual(self.the_run().run_time, 10)
        self.assert_said("is ended: it ran longer than its timeout of 10 seconds")

    def test_deaf(self) -> None:
        """What does not end when asked to is killed after the grace of its job."""
        rules: dict[str, Any] = {"timeout": timedelta(seconds=10), "kill_grace": timedelta(seconds=3)}
        status, code, _ = self.end_of("50 s deaf", **rules)
        self.assertEqual((status, code, self.the_run().run_time), ("timed_out", 137, 13))

    def test_usual_grace(self) -> None:
        """A job that says nothing of it has ten seconds to clean up."""
        self.end_of("50 s deaf", timeout=timedelta(seconds=10))
        self.assertEqual(self.the_run().run_time, 20)

    def test_ends_in_the_grace(self) -> None:
        """A command that cleans up and exits well has timed out all the same."""
        rules: dict[str, Any] = {"timeout": timedelta(seconds=10), "kill_grace": timedelta(seconds=10)}
        status, code, _ = self.end_of("15 s deaf", **rules)
        self.assertEqual((status, code), ("timed_out", 0))

    def test_in_time(self) -> None:
        """What ends in time is not disturbed, and nothing is left of its deadline."""
        self.assertEqual(self.end_of("9.9 s", timeout=timedelta(seconds=10)), ("succeeded", 0, None))
        self.assert_said("timeout", times=0)

    def test_exit_at_the_deadline(self) -> None:
        """What exits at the very moment keeps its own end, whichever the runner sees first."""
        self.assertEqual(self.end_of("10 s exit 3", timeout=timedelta(seconds=10))[:2], ("failed", 3))

    def test_frozen_runner(self) -> None:
        """A runner that was frozen over the deadline finds that the command has ended by itself."""
        self.world.put(ruled("12 s", timeout=timedelta(seconds=10)))
        self.world.run_for(65)
        self.runner.freeze()
        self.world.run_for(20)
        self.runner.thaw()
        self.world.run_for(10)
        self.assertEqual(self.the_run().status, "succeeded")

    def test_while_draining(self) -> None:
        """The deadline holds while the runner stops, which then need not wait any longer."""
        self.world.put(ruled("200 s", timeout=timedelta(seconds=30)))
        self.world.run_for(70)
        stopped = self.runner.stop()
        self.assert_stops(stopped, 20)
        self.world.run_for(5)
        self.assertEqual(self.the_run().status, "timed_out")

    def test_drain_ends_in_the_grace(self) -> None:
        """A runner that has waited long enough waits no whole long grace; the first reason counts."""
        self.runner.stop()
        runner = self.world.start_runner("runner.2", drain_seconds=30)
        self.world.put(ruled("900 s deaf", timeout=timedelta(seconds=20), kill_grace=timedelta(hours=1)))
        self.world.run_for(65)
        self.assert_stops(runner.stop(), 40)
        self.world.run_for(5)
        self.assertEqual((self.the_run().status, self.the_run().return_code), ("timed_out", 137))

    def test_changed_meanwhile(self) -> None:
        """A run keeps the rules that it was made with; the next one has the new ones."""
        self.world.put(ruled("50 s", timeout=timedelta(seconds=10)))
        self.world.run_for(61)
        self.world.put(ruled("50 s"))
        self.world.run_for(60)
        self.assertEqual(self.the_run().status, "timed_out")

    def test_published_again(self) -> None:
        """A message that is published again has the rules, too."""
        self.runner.kill()
        self.world.put(ruled("50 s", timeout=timedelta(seconds=10)))
        self.world.run_for(61)
        self.world.broker.purge(JOBS)
        self.world.start_runner("runner.2")
        self.world.run_for(700)
        self.assertEqual(self.the_run().status, "timed_out")


class SuccessCodesTests(RulesTestCase):
    """The rule `success_codes`."""

    def test_usual(self) -> None:
        """Without it, only 0 is success."""
        self.assertEqual(self.end_of("1 s exit 3"), ("failed", 3, None))

    def test_other_codes(self) -> None:
        """Any of the codes is success."""
        self.assertEqual(self.end_of("1 s exit 3", success_codes=(0, 3)), ("succeeded", 3, None))

    def test_zero_of_several(self) -> None:
        """Also 0, when it is among them."""
        self.assertEqual(self.end_of("1 s", success_codes=(0, 3)), ("succeeded", 0, None))

    def test_zero_is_no_success(self) -> None:
        """When 0 is not among them it is a failure, and what would be success is said."""
        self.assertEqual(
            self.end_of("1 s", success_codes=(3, 4)), ("failed", 0, "success would be exit 3, 4")
        )

    def test_none_of_them(self) -> None:
        """What is not among them is a failure."""
        self.assertEqual(self.end_of("1 s exit 1", success_codes=(0, 3)), ("failed", 1, None))

    def test_job_shows_it(self) -> None:
        """The job has succeeded, too."""
        self.end_of("1 s exit 3", success_codes=(3,))
        self.assertEqual([row.last_run_status for row in self.world.rows(jobs.select())], ["succeeded"])


class SurroundingsTests(RulesTestCase):
    """The rules `environment`, `directory`, `user`, `shell` and `umask`."""

    def test_asked_of_the_launcher(self) -> None:
        """All of them reach whoever starts the command, as the job has them."""
        rules: dict[str, Any] = {
            "directory": "/srv",
            "user": "backup:disk",
            "shell": "/bin/bash",
            "umask": "027",
        }
        self.end_of("1 s", environment={"A": "1"}, **rules)
        asked = self.starts[0].asked
        self.assertEqual((asked.directory, asked.user, asked.shell), ("/srv", "backup:disk", "/bin/bash"))
        self.assertEqual((asked.umask, asked.environment), (0o027, {"PATH": "/bin"}))
        self.assertEqual(asked.variables["A"], "1")

    def test_none(self) -> None:
        """A job without them is started as ever."""
        self.end_of("1 s")
        asked = self.starts[0].asked
        self.assertEqual((asked.directory, asked.user, asked.shell), (None, None, "/bin/sh"))
        self.assertIsNone(asked.umask)

    def test_what_counts_more(self) -> None:
        """A job may change what its command inherits, but not what cronq tells it."""
        self.world.put(ruled("1 s", environment={"PATH": "/opt", "EMPTY": ""}))
        self.world.run_for(65)
        environment = self.starts[0].environment
        self.assertEqual((environment["PATH"], environment["EMPTY"]), ("/opt", ""))
        self.assertEqual(environment["CRONQ_RUN_ID"], self.the_run().run_id)

    def test_cannot_be_had(self) -> None:
        """What cannot be started in its surroundings has failed with the reason, and is not tried again."""
        self.assertEqual(self.end_of("missing", user="backup"), ("failed", None, "it is missing"))


class OutputLimitTests(RulesTestCase):
    """The rule `output_limit`."""

    def kept(self, says: str, **rules: Any) -> tuple[int, Any] | None:
        """How much a run wrote, and what is kept of it."""
        self.end_of("1 s", environment={"SAYS": says}, **rules)
        rows = self.world.rows(select(outputs))
        self.assertEqual([row.run_id for row in rows], [self.the_run().run_id] * len(rows))
        return (rows[0].size, json.loads(rows[0].kept)) if rows else None

    def test_usual(self) -> None:
        """Without it, eight kilobytes of each run are kept."""
        self.assertEqual(self.kept("hello\n"), (6, {"head": [["out", "hello\n"]]}))

    def test_less(self) -> None:
        """The beginning and the end are kept of what is longer."""
        kept = {"head": [["out", "hel"]], "tail": [["out", "rld"]], "left_out": [3, 8]}
        self.assertEqual(self.kept("hello world", output_limit=6), (11, kept))

    def test_none(self) -> None:
        """A job may want none of it kept."""
        self.assertIsNone(self.kept("hello", output_limit=0))

    def test_silence(self) -> None:
        """A run that writes nothing has no row."""
        self.assertIsNone(self.kept(""))

    def test_told_late(self) -> None:
        """It is on disk with the report of the end, and comes with that, however late."""
        self.world.put(ruled("5 s", environment={"SAYS": "hello"}))
        self.world.run_for(62)
        self.world.broker.down()
        self.world.run_for(10)
        self.runner.kill()
        self.world.broker.up()
        self.world.start_runner()
        self.world.run_for(60)
        self.assertEqual([row.size for row in self.world.rows(select(outputs))], [5])
