"""`cronq-pruner` on any database; `test_pruner` and the integration tests say on which."""

import itertools
import math
import os
import sys
from datetime import timedelta
from io import StringIO
from typing import Any

from sqlalchemy import delete, insert, make_url, update

from cronq.commands import pruner
from cronq.commands.pruner import main
from cronq.database import expiry, gateway, pruning, schema
from cronq.database.access_tables import changes
from cronq.database.jobs import request_run
from cronq.database.output_tables import outputs
from cronq.database.reading.auditing import Audit, Question
from cronq.database.retention import pruned_until
from cronq.database.tables import definitions, events, jobs, runs
from cronq.domain.runs import OPEN, Status
from tests.database.store import START, StoreCase, at, job


class PrunerCase(StoreCase):
    """A database with two jobs, and the program to prune it."""

    def setUp(self) -> None:
        super().setUp()
        self._run_ids = (f"{number:032x}" for number in itertools.count(1))
        self.url = self.engine.url.render_as_string(hide_password=False)
        self.patch(os, "environ", {"DATABASE_URL": self.url})
        # A slow machine would see progress where no test asks for it.
        self.patch(pruner, "TELL_EVERY", math.inf)
        self.stdout, self.stderr = StringIO(), StringIO()
        self.patch(sys, "stdout", self.stdout)
        self.patch(sys, "stderr", self.stderr)
        self.execute(insert(jobs), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])

    def prune(self, *arguments: str) -> tuple[int, list[str]]:
        """Run the program: its exit code, and the lines that it says."""
        self.stderr.truncate(0)
        self.stderr.seek(0)
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        self.assertEqual(self.stdout.getvalue(), "")
        return code, self.stderr.getvalue().splitlines()

    def add_run(
        self, job_id: int | None, status: Status | None, *types: str, first: int | None = None
    ) -> str:
        """A run with its events (two unless `types` are given), the first of them with the id `first`.

        Without a status it is a run of 0.27, which has no row in the ledger.
        """
        run_id = next(self._run_ids)
        if status is not None:
            values = {"run_id": run_id, "job_id": job_id, "status": status.value}
            self.execute(insert(runs), values)
        for kind in types or ("starting", "finished"):
            event = {"id": first, "job_id": job_id, "run_id": run_id, "type": kind, "datetime": START}
            self.execute(insert(events), event)
            first = None if first is None else first + 1
        return run_id

    def add_runs(self, job_id: int, count: int) -> None:
        """So many runs that are over."""
        for _ in range(count):
            self.add_run(job_id, Status.SUCCEEDED)

    def left(self, **where: Any) -> list[int]:
        """The ids of the events that are left."""
        return [row["id"] for row in self.rows(events, **where)]


class MisuseTests(PrunerCase):
    """Command lines that make no sense, and databases that are not there."""

    def test_combinations(self) -> None:
        """A wrong or missing combination is one line, exit code 1, and nothing is deleted."""
        self.add_runs(1, 3)
        either = (
            "say one of --first A --last B, --keep N, --older-than AGE, --changes-older-than AGE (see --help)"
        )
        for arguments, said in (
            ([], either),
            (["--range", "5"], either),
            (["--keep", "1", "--first", "1"], either),
            (["--keep", "1", "--first", "1", "--last", "2"], either),
            (["--older-than", "P1D", "--changes-older-than", "P1D"], either),
            (["--first", "1"], "--first and --last belong together"),
            (["--last", "1"], "--first and --last belong together"),
            (["--first", "3", "--last", "2"], "--first 3 is greater than --last 2"),
        ):
            self.assertEqual(self.prune(*arguments), (1, [f"cronq-pruner: {said}"]))
        self.assertEqual(len(self.left()), 6)

    def test_numbers(self) -> None:
        """What is no whole number from 1 on is shown."""
        for option in ("--keep", "--first", "--last", "--range", "--interval"):
            for value in ("0", "-1", "many", "1.5", "", "\u0663", str(2**63)):
                code, (line,) = self.prune(f"{option}={value}")
                self.assertEqual(code, 1)
                self.assertIn(f"{value!r} is not a whole number from 1 on", line)

    def test_unknown_option(self) -> None:
        """An unknown option is one line, and no usage page."""
        self.assertEqual(
            self.prune("--kep", "3"),
            (1, ["cronq-pruner: unrecognized arguments: --kep 3 (see --help)"]),
        )

    def test_no_such_database(self) -> None:
        """A wrong address of the database is one line, without the password."""
        for url, said in (
            (
                "postgresql://u:s3cret@db/x",
                "--database-url: the value cannot be used: expected a database URL",
            ),
            ("mysql://u:s3cret@127.0.0.1:9/x", "cronq-pruner: mysql+pymysql://u:***@127.0.0.1:9/x"),
        ):
            code, (line,) = self.prune("--keep", "1", "--database-url", url)
            self.assertEqual(code, 1)
            self.assertIn(said, line)
            self.assertNotIn("s3cret", line)

    def test_tables_of_another_version(self) -> None:
        """A database that no injector of this version has seen is not touched."""
        self.add_runs(1, 3)
        self.sql("UPDATE alembic_version SET version_num = 'x'")
        code, (line,) = self.prune("--keep", "1")
        self.assertEqual(code, 1)
        self.assertIn(make_url(self.url).render_as_string(), line)
        self.assertIn(": the tables are not those of this version; start an injector first", line)
        self.assertEqual(len(self.left()), 6)
        self.sql(f"UPDATE alembic_version SET version_num = '{schema.HEAD}'")


class KeepTests(PrunerCase):
    """`--keep N`."""

    def test_exactly(self) -> None:
        """Of each job exactly the latest N events are left. (0.27 left N - 1.)"""
        self.add_runs(1, 5)
        self.add_runs(2, 5)
        of_first, of_second = self.left(job_id=1), self.left(job_id=2)
        self.assertEqual(self.prune("--keep", "4"), (0, ["12 events deleted"]))
        self.assertEqual((self.left(job_id=1), self.left(job_id=2)), (of_first[-4:], of_second[-4:]))
        self.assertEqual(self.prune("--keep", "4"), (0, ["0 events deleted"]))
        self.assertEqual(self.prune("--keep", "1"), (0, ["6 events deleted"]))

    def test_fewer(self) -> None:
        """A job that has no more than N keeps all."""
        self.add_runs(1, 2)
        self.assertEqual(self.prune("--keep", "4"), (0, ["0 events deleted"]))
        self.assertEqual(self.prune("--keep", str(2**63 - 1)), (0, ["0 events deleted"]))
        self.assertEqual(len(self.left()), 4)

    def test_some_at_a_time(self) -> None:
        """However many are deleted at a time, and whatever the option is called, the same are left."""
        self.add_runs(1, 20)
        before = self.left()
        for option, size, keep in (("--range", "7", 30), ("--interval", "1", 27), ("--range", "100000", 5)):
            self.assertEqual(self.prune("--keep", str(keep), option, size)[0], 0)
            self.assertEqual(self.left(), before[-keep:])

    def test_removed_job(self) -> None:
        """A job that was removed keeps its latest events, too."""
        self.sql("UPDATE jobs SET removed_at = :now WHERE id = 1", now=START)
        self.add_runs(1, 3)
        self.prune("--keep", "2")
        self.assertEqual(len(self.left()), 2)


class RangeTests(PrunerCase):
    """`--first A --last B`."""

    def test_exactly(self) -> None:
        """All events with A <= id <= B are deleted, and no other. (0.27 raised a KeyError.)"""
        self.add_runs(1, 3)
        self.add_runs(2, 3)
        before = self.left()
        self.assertEqual(
            self.prune("--first", str(before[2]), "--last", str(before[7])), (0, ["6 events deleted"])
        )
        self.assertEqual(self.left(), before[:2] + before[8:])

    def test_one(self) -> None:
        """A may be B."""
        self.add_runs(1, 1)
        before = self.left()
        self.prune("--first", str(before[1]), "--last", str(before[1]))
        self.assertEqual(self.left(), before[:1])

    def test_some_at_a_time(self) -> None:
        """However many are deleted at a time, the same are left; ids that are missing do not matter."""
        for size in ("1", "2", "3", "100", "100000"):
            for first in (10, 20, 1000):
                self.add_run(1, Status.FAILED, first=first)
            self.assertEqual(self.prune("--first", "11", "--last", "1000", "--range", size)[0], 0)
            self.assertEqual(self.left(), [10, 1001])
            self.execute(events.delete())

    def test_far_too_great(self) -> None:
        """Bounds far beyond what there is cost nothing."""
        self.add_run(1, Status.FAILED, first=2**31 + 5)
        self.assertEqual(
            self.prune("--first", "1", "--last", str(2**63 - 1), "--range", "1"), (0, ["2 events deleted"])
        )
        self.assertEqual(self.prune("--first", "1", "--last", str(2**63 - 1)), (0, ["0 events deleted"]))

    def test_more_than_one_statement_takes(self) -> None:
        """More at a time than the database takes values in one statement are deleted all the same."""
        run_id = self.add_run(1, Status.SUCCEEDED)
        self.sql(
            "INSERT INTO events (job_id, run_id, type) WITH RECURSIVE n (i) AS"
            " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40000)"
            " SELECT 1, :run_id, 'starting' FROM n",
            run_id=run_id,
        ) if self.engine.dialect.name == "sqlite" else self._fill(run_id)
        last = self.left()[-1]
        self.assertEqual(
            self.prune("--first", "1", "--last", str(last), "--range", "50000"), (0, ["40002 events deleted"])
        )

    def _fill(self, run_id: str) -> None:
        self.execute(insert(events), [{"job_id": 1, "run_id": run_id, "type": "starting"}] * 40_000)


class OpenRunTests(PrunerCase):
    """What belongs to a run that has not ended."""

    def test_by_the_ledger(self) -> None:
        """As long as the ledger says that a run is open, its events stay, also one that tells of an end."""
        for status in sorted(OPEN):
            for kinds in (("starting",), ("starting", "finished")):
                run_id = self.add_run(1, status, *kinds)
                self.prune("--first", "1", "--last", "1000000")
                self.assertEqual(len(self.left(run_id=run_id)), len(kinds))
        self.add_runs(1, 3)
        self.prune("--keep", "1")
        self.assertEqual(len(self.left()), 7)

    def test_every_end(self) -> None:
        """Whatever end a run has come to, its events can be deleted."""
        for status in Status:
            if status not in OPEN:
                self.add_run(1, status, "starting")
        self.prune("--first", "1", "--last", "1000000")
        self.assertEqual(self.left(), [])

    def test_runs_of_027(self) -> None:
        """A run of 0.27 is over when an event says so, whether its job is still there or not."""
        ended = [
            self.add_run(job_id, None, "starting", end)
            for job_id in (1, None)
            for end in ("finished", "failed")
        ]
        still_open = self.add_run(1, None, "starting")
        self.prune("--first", "1", "--last", "1000000")
        self.assertEqual([self.left(run_id=run_id) for run_id in ended], [[]] * 4)
        self.assertEqual(len(self.left(run_id=still_open)), 1)


class AgeTests(PrunerCase):
    """`--older-than AGE`."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("c"), job("d", "R/2026-01-01T00:00:00/P1D"))
        for self.now in (at(0, 1), at(0, 5), at(1), at(12)):
            self.claim()
        ended = update(runs).where(runs.c.status == "queued").values(status="succeeded", publish_after=None)
        self.execute(ended)
        self.patch(gateway, "server_time", lambda _: self.now)

    def slots_left(self) -> list[Any]:
        """The first slots of the rows that are left."""
        return [row[1] for row in self.ledger()]

    def older_than(self, age: str, *rest: str) -> tuple[int, list[str]]:
        return self.prune("--older-than", age, *rest)

    def test_runs(self) -> None:
        """Runs go with all that is of them, by the age of their slots; of several slots, the last counts."""
        self.assertEqual(self.slots_left(), [at(0, 1), at(0, 2), at(0, 5), at(0, 6), at(1), at(1, 1), at(12)])
        for row in self.rows(runs):
            self.execute(insert(events).values(run_id=row["run_id"], type="starting", once=1))
            self.execute(insert(outputs).values(run_id=row["run_id"], size=1, kept="{}"))
        self.assertEqual(self.older_than("PT11H30M"), (0, ["6 rows deleted"]))
        self.assertEqual(
            {row["run_id"] for row in self.rows(outputs)}, {row["run_id"] for row in self.rows(runs)}
        )
        self.assertEqual(self.slots_left(), [at(0, 6), at(1), at(1, 1), at(12)])
        self.assertEqual(len(self.left()), 4)
        self.assertEqual(self.read(pruned_until), at(0, 30))
        self.assertEqual(self.older_than("PT11H30M"), (0, ["0 rows deleted"]))

    def test_a_few_at_a_time(self) -> None:
        """However few go at a time, the same are left, and the mark never goes back."""
        for size in ("1", "2", "1000"):
            self.older_than("PT11H", "--range", size)
            self.assertEqual(self.slots_left(), [at(1), at(1, 1), at(12)])
        self.older_than("P1D")
        self.assertEqual(self.read(pruned_until), at(1))

    def test_nothing_is_old(self) -> None:
        """Where nothing is deleted, the ledger goes back as far as before."""
        self.assertEqual(self.older_than("P90D"), (0, ["0 rows deleted"]))
        self.assertIsNone(self.read(pruned_until))

    def test_open_runs(self) -> None:
        """What has not ended stays, with its events and with what it was made with."""
        open_run = self.rows(runs)[0]["run_id"]
        self.execute(update(runs).where(runs.c.run_id == open_run).values(status="running"))
        self.execute(insert(events).values(run_id=open_run, type="starting", once=1))
        self.put(job("d", "R/2026-01-01T00:00:00/P1D"))
        self.now += timedelta(days=400)
        self.older_than("P100D")
        self.assertEqual(self.slots_left(), [at(0, 1)])
        self.assertEqual(len(self.left()), 1)
        self.assertEqual(len(self.rows(definitions)), 2)
        self.execute(update(runs).values(status="lost"))
        self.assertEqual(self.older_than("P100D"), (0, ["3 rows deleted"]))
        self.assertEqual([row["until"] for row in self.rows(definitions)], [None])

    def test_by_hand(self) -> None:
        """Runs by hand are as old as the wish for them; what they were made with stays as long as they do."""
        self.do(request_run, self.row(jobs, name="c")["id"])
        self.now = at(13)
        self.claim()
        self.execute(update(runs).values(status="failed", publish_after=None))
        self.put(job("d", "R/2026-01-01T00:00:00/P1D"))
        self.execute(delete(runs).where(runs.c.slot.is_not(None)))
        self.now = at(13) + timedelta(days=5)
        self.assertEqual(self.older_than("P5D"), (0, ["0 rows deleted"]))
        self.assertEqual(self.older_than("P4D"), (0, ["2 rows deleted"]))

    def test_events_of_027(self) -> None:
        """What 0.27 left of runs that have ended goes, too."""
        self.execute(delete(runs))
        self.add_run(1, None, "starting", "finished")
        still_open = self.add_run(None, None, "starting")
        self.now += timedelta(days=30)
        self.assertEqual(self.older_than("P30D"), (0, ["2 rows deleted"]))
        self.assertEqual(len(self.left(run_id=still_open)), 1)

    def test_audit(self) -> None:
        """An audit begins where the pruner has stopped, and finds nothing wrong."""
        self.older_than("PT11H30M")
        audit = Audit(Question())
        while not audit.finished:
            self.assertEqual(self.read(audit.step), [])
        self.assertEqual((audit.pruned_until, audit.since), (at(0, 30), at(0, 30)))

    def test_changes(self) -> None:
        """Of the record of changes goes what is older than that, and nothing else."""
        self.execute(delete(changes))
        for number in range(5):
            row: dict[str, Any] = {"via": "open", "action": "job.run", "subject": "j"}
            row |= {"at": self.now - timedelta(days=10 - number)}
            self.execute(insert(changes).values(row))
        runs_before = len(self.rows(runs))
        old = self.prune("--changes-older-than", "P7DT12H", "--range", "2")
        self.assertEqual((old, len(self.rows(changes))), ((0, ["3 changes deleted"]), 2))
        self.assertEqual(self.prune("--changes-older-than", "P1D"), (0, ["2 changes deleted"]))
        self.assertEqual((self.rows(changes), len(self.rows(runs))), ([], runs_before))

    def test_ages(self) -> None:
        """An age is an ISO 8601 duration, and not all of time."""
        for age, said in (
            ("90", "argument --older-than: '90' is not a duration"),
            ("P0D", "the shortest duration is one second"),
            ("P5000Y", "nothing is older than P5000Y"),
        ):
            code, (line,) = self.older_than(age)
            self.assertEqual(code, 1)
            self.assertIn(said, line)
        for other in (["--keep", "1"], ["--first", "1", "--last", "2"]):
            self.assertEqual(self.older_than("P1D", *other)[0], 1)


class StopTests(PrunerCase):
    """Stopped in the middle, and started again."""

    def interrupt(self, name: str, after: int, module: Any = pruning) -> None:
        """Ctrl-C arrives in the middle of one of the program's transactions."""
        real, calls = getattr(module, name), itertools.count()

        def interrupted(*arguments: Any) -> Any:
            result = real(*arguments)
            if next(calls) == after:
                raise KeyboardInterrupt
            return result

        self.patch(module, name, interrupted)

    def test_range(self) -> None:
        """What was deleted is told; started again, the rest goes."""
        self.add_runs(1, 10)
        arguments = ("--first", "1", "--last", str(self.left()[-1]), "--range", "4")
        self.interrupt("delete_range", after=2)
        self.assertEqual(self.prune(*arguments), (130, ["cronq-pruner: stopped; 8 events are deleted"]))
        self.assertEqual(len(self.left()), 12)
        self.assertEqual(self.prune(*arguments), (0, ["12 events deleted"]))

    def test_age(self) -> None:
        """The same with `--older-than`, at any of its steps; the mark is there from the first one on."""
        self.add_runs(1, 10)
        self.execute(update(runs).values(queued_at=START))
        self.interrupt("delete_runs", after=1, module=expiry)
        arguments = ("--older-than", "P1D", "--range", "4")
        self.assertEqual(self.prune(*arguments), (130, ["cronq-pruner: stopped; 12 rows are deleted"]))
        self.assertIsNotNone(self.read(pruned_until))
        self.assertEqual(self.prune(*arguments), (0, ["18 rows deleted"]))
        self.assertEqual((self.left(), self.rows(runs)), ([], []))

    def test_keep(self) -> None:
        """The same with `--keep`, and never one event too few."""
        self.add_runs(1, 10)
        before = self.left()
        self.interrupt("delete_older", after=1)
        code, said = self.prune("--keep", "5", "--range", "4")
        self.assertEqual((code, said), (130, ["cronq-pruner: stopped; 4 events are deleted"]))
        self.assertEqual(self.prune("--keep", "5", "--range", "4"), (0, ["11 events deleted"]))
        self.assertEqual(self.left(), before[-5:])

    def test_before_it_began(self) -> None:
        """Ctrl-C while it connects is no traceback either."""
        self.interrupt("ids_between", after=0)
        code, said = self.prune("--first", "1", "--last", "2")
        self.assertEqual((code, said), (130, ["cronq-pruner: stopped; 0 events are deleted"]))

    def test_progress(self) -> None:
        """Now and then it says how far it is."""
        self.patch(pruner, "TELL_EVERY", 0.0)
        self.add_runs(1, 3)
        first, last = self.left()[0], self.left()[-1]
        code, said = self.prune("--first", "1", "--last", str(last + 1000), "--range", "4")
        expected = [
            f"4 events deleted, up to event {first + 3} of {last + 1000}",
            f"6 events deleted, up to event {last} of {last + 1000}",
            "6 events deleted",
        ]
        self.assertEqual((code, said), (0, expected))
        self.add_runs(2, 3)
        code, said = self.prune("--keep", "2")
        self.assertEqual((code, said), (0, ["4 events deleted, at job 2 of 2", "4 events deleted"]))


class AnswerTests(PrunerCase):
    """Questions to the program."""

    def test_help(self) -> None:
        """`--help` has each option."""
        self.assertRaises(SystemExit, main, ["--help"])
        for option in ("--first A", "--last B", "--keep N", "--range N", "--interval N", "--database-url"):
            self.assertIn(option, self.stdout.getvalue())

    def test_url(self) -> None:
        """The option names the database as the variable does, and wins."""
        self.patch(os, "environ", {"DATABASE_URL": "mysql://nobody@127.0.0.1:9/x"})
        self.add_runs(1, 1)
        self.assertEqual(self.prune("--keep", "1", "--database-url", self.url), (0, ["1 events deleted"]))
        self.assertTrue(make_url(self.url).database)
