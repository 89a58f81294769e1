"""`cronq audit`, on a database of its own."""

import json
import os
import re
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, insert, text, update
from twisted.trial.unittest import SynchronousTestCase

from cronq.commands.cli import main, store
from cronq.commands.database import DATABASE_URL
from cronq.database import gateway
from cronq.database.jobs import request_run
from cronq.database.tables import jobs, runs, settings
from tests.commands.cli.case import Terminal
from tests.database.store import OnSQLite, at, job

HINT = "`cronq audit --help` says how it is used."
ALL = "2 jobs, 18 slots, 1 run by hand"


class AuditTests(OnSQLite):
    """Two jobs that ran every minute for nine minutes, and one run by hand."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(gateway, "server_time", lambda _: self.now)
        self.url = self.engine.url.render_as_string(hide_password=False)
        self.patch(os, "environ", {"DATABASE_URL": self.url})
        self.tty = False
        self.put(job("a"), job("b c"))
        self.first, _ = (row["id"] for row in self.rows(jobs))
        for minute in range(1, 10):
            self.now = at(0, minute)
            self.claim()
        self.do(request_run, self.first)
        self.claim()
        self.execute(update(runs).values(status="succeeded", publish_after=None))

    def call(self, *arguments: str) -> tuple[int, list[str], list[str]]:
        """Audit: the exit code, and the lines of the output and of the messages."""
        stdout, stderr = Terminal(), Terminal(tty=self.tty)
        self.patch(sys, "stdout", stdout)
        self.patch(sys, "stderr", stderr)
        code = main(["audit", *arguments])
        self.said = stderr.getvalue()
        return code, stdout.getvalue().splitlines(), self.said.splitlines()

    def test_in_order(self) -> None:
        """When all is accounted for it is one line, and success."""
        line = f"all is accounted for: {ALL} (19 succeeded) until 2026-01-01 00:09:00 UTC"
        self.assertEqual(self.call(), (0, [line], []))

    def test_findings(self) -> None:
        """Each finding is a line with the job and the run, and the last line has the totals."""
        self.execute(delete(runs).where(runs.c.slot.between(at(0, 3), at(0, 5)), runs.c.job_id == self.first))
        (lost,) = self.rows(runs, slot=at(0, 9), job_id=self.first)
        self.execute(update(runs).where(runs.c.id == lost["id"]).values(slot=at(0, 8, 30)))
        code, out, err = self.call()
        self.assertEqual((code, err), (1, []))
        all_of_it = ALL.replace("slots,", "slots, 4 of them without a row,") + ", 1 row without a slot"
        three = "3 slots from 2026-01-01 00:03:00 UTC to 2026-01-01 00:05:00 UTC have no row in the ledger."
        self.assertEqual(
            out,
            [
                f"example/a (job 1): {three}",
                f"example/a (job 1), run {lost['run_id']}: 2026-01-01 00:08:30 UTC is no slot of this job.",
                "example/a (job 1): The slot 2026-01-01 00:09:00 UTC has no row in the ledger.",
                f"3 findings: {all_of_it} (16 succeeded) until 2026-01-01 00:09:00 UTC",
            ],
        )

    def test_part(self) -> None:
        """A time and a job narrow it down; a time may be told as so long ago."""
        self.execute(delete(runs).where(runs.c.slot == at(0, 3)))
        period = "from 2026-01-01 00:04:00 UTC until 2026-01-01 00:09:00 UTC"
        for since in ("2026-01-01T00:04", "2026-01-01 00:04:00", "2026-01-01T02:04+02:00", "PT5M"):
            line = f"all is accounted for: 2 jobs, 12 slots, 1 run by hand (13 succeeded) {period}"
            self.assertEqual(self.call("--from", since), (0, [line], []))
        self.assertEqual(self.call("--to", "PT7M", "--job", "example/b c")[0], 0)
        self.assertEqual(self.call("--from", "PT6M", "--to", "PT5M", "--job", "1")[0], 1)

    def test_json(self) -> None:
        """As JSON each finding is an object, and so are the totals."""
        self.execute(delete(runs).where(runs.c.slot.between(at(0, 3), at(0, 5)), runs.c.job_id == self.first))
        code, out, _ = self.call("--json", "--from", "2026-01-01")
        finding, totals = map(json.loads, out)
        message = finding.pop("message")
        self.assertEqual(
            finding,
            {
                "kind": "missing",
                "job_id": 1,
                "category": "example",
                "name": "a",
                "run_id": None,
                "slot": "2026-01-01T00:03:00",
                "last_slot": "2026-01-01T00:05:00",
                "slots": 3,
            },
        )
        self.assertTrue(message.startswith("3 slots from"))
        self.assertEqual(
            totals,
            {
                "accounted_for": False,
                "finding_count": 1,
                "from": "2026-01-01T00:00:00",
                "to": "2026-01-01T00:09:00",
                "pruned_until": None,
                "jobs": 2,
                "slots": 18,
                "slots_without_row": 3,
                "runs_by_hand": 1,
                "runs_after_others": 0,
                "backfilled_runs": 0,
                "further_attempts": 0,
                "rows_without_slot": 0,
                "statuses": {"succeeded": 16},
            },
        )
        self.assertEqual(code, 1)

    def test_pruned(self) -> None:
        """Where the ledger has been pruned it says so, if that is within what it was asked for."""
        self.execute(insert(settings).values(name="runs_pruned_until", value="2026-01-01T00:05:00Z"))
        said = "until 2026-01-01 00:09:00 UTC; before 2026-01-01 00:05:00 UTC the ledger has been pruned"
        line = f"all is accounted for: 2 jobs, 10 slots, 1 run by hand (11 succeeded) {said}"
        self.assertEqual(self.call(), (0, [line], []))
        self.assertNotIn("pruned", self.call("--from", "PT3M")[1][0])

    def test_misused(self) -> None:
        """What cannot be understood is said, with the option."""
        for option in ("--from", "--to"):
            code, out, err = self.call(option, "yesterday")
            self.assertEqual((code, out, err[1:]), (2, [], [HINT]))
            self.assertTrue(err[0].startswith(f"cronq: Invalid value for '{option}': 'yesterday' is"), err)
        nothing = "cronq: there is nothing between --from and --to, or now"
        for period in (["--from", "P1D", "--to", "P2D"], ["--from", "2026-01-02"]):
            self.assertEqual(self.call(*period), (2, [], [nothing, HINT]))
        code, _, err = self.call("--database-url", "postgresql://u:s3cret@db/x")
        self.assertEqual((code, len(err)), (2, 1))
        self.assertNotIn("s3cret", err[0])

    def test_no_such_job(self) -> None:
        """A job that there is not is no job in order."""
        for name in ("99", "example/c", "a"):
            code, _, err = self.call("--job", name)
            self.assertEqual((code, err[0]), (3, f"cronq: there is no job {name}"))

    def test_all_in_one(self) -> None:
        """Who has not said where the database is, is told of that of cronq all in one, if there is one."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        environment = {"CRONQ_STATE_PATH": str(folder), "HOME": str(folder)}
        self.patch(os, "environ", environment)
        nowhere = replace(DATABASE_URL, default="mysql+pymysql://u@127.0.0.1:9/x")
        self.patch(store, "DATABASE_URL", nowhere)
        hint = "Say where the database is with --database-url or DATABASE_URL."
        self.assertEqual(self.call()[2][1], hint)
        (folder / "cronq.sqlite").touch()
        there = f" That of cronq all in one is here: --database-url sqlite:///{folder}/cronq.sqlite"
        self.assertEqual(self.call()[2][1], hint + there)

    def test_no_database(self) -> None:
        """A database that does not answer, or that no injector has seen, is said in one sentence."""
        hint = "Say where the database is with --database-url or DATABASE_URL."
        code, out, err = self.call("--database-url", "mysql://u:s3cret@127.0.0.1:9/x")
        self.assertEqual((code, out, err[1]), (6, [], hint))
        self.assertTrue(err[0].startswith("cronq: mysql+pymysql://u:***@127.0.0.1:9/x"), err)
        self.execute(text("UPDATE alembic_version SET version_num = 'x'"))
        said = "cronq: the tables are not those of this version; start an injector first"
        self.assertEqual(self.call(), (6, [], [said, hint]))

    def test_progress(self) -> None:
        """On a terminal there is a bar while it works, which makes room for findings."""
        self.tty = True
        self.execute(delete(runs).where(runs.c.slot == at(0, 3)))
        self.assertEqual(self.call()[0], 1)
        self.assertIn("Auditing", self.said)
        self.assertIn("100%", self.said)
        self.assertIn("\r\x1b[K", self.said)

    def test_hostile_names(self) -> None:
        """A name cannot write to the terminal."""
        self.put(job("a"), job("b c"), job("\x1b[2J"))
        self.now += timedelta(minutes=5)
        _, out, _ = self.call()
        self.assertTrue(any(re.search(r"\\x1b\[2J", line) for line in out))
        self.assertFalse(any("\x1b" in line for line in out))


class NoTableTests(SynchronousTestCase):
    """A database without anything."""

    def test_empty(self) -> None:
        """It has no ledger."""
        path = self.mktemp()
        self.patch(os, "environ", {"DATABASE_URL": f"sqlite:///{path}"})
        self.patch(sys, "stderr", Terminal())
        self.assertEqual(main(["audit"]), 6)
