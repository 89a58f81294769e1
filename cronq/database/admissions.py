"""New runs beside those of their jobs that have not ended: they are published, wait, or are skipped."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from cronq.database.bulk import chunks, update_rows
from cronq.database.limits import miss, open_runs
from cronq.database.orders import order_kills
from cronq.database.rows import skipped
from cronq.database.tables import runs
from cronq.domain.overlap import Admission, OpenRun, admit, most_at_once, overdue, replaced_by
from cronq.domain.rules import Overlap, Rules
from cronq.domain.runs import Status

Row = dict[str, Any]


class Admissions:
    """Decides on the new runs of jobs whose runs must not overlap as they like."""

    def __init__(self, connection: Connection, rules: Mapping[int, Rules], now: datetime) -> None:
        """`rules` by job; the jobs are locked."""
        self._connection = connection
        self._now = now
        self._rules = {job_id: each for job_id, each in rules.items() if most_at_once(each) is not None}
        found = open_runs(connection, self._rules, now) if self._rules else {}
        #: Ids of runs for which it is too late, and why; they keep nothing from running.
        self._late: dict[str, str] = {}
        for job_id, of_one in found.items():
            self._late |= overdue(self._rules[job_id], of_one, now)
        # What a backfill has made and has not started keeps nothing from running.
        self._ahead = {
            job_id: [
                run
                for run in of_one
                if run.status is Status.RUNNING or not (run.patient or run.run_id in self._late)
            ]
            for job_id, of_one in found.items()
        }
        #: The row of a run that is in no table yet, by its place among those of its job.
        self._new: dict[int, Row] = {}
        self._kills: list[tuple[str, str, str]] = []
        self._replaced: dict[str, str] = {}

    def admit(self, rows: Sequence[Row]) -> None:
        """Change these rows for `runs`, in the order in which they are to run, to what becomes of each."""
        for row in rows:
            if row["job_id"] in self._rules and row["status"] == Status.QUEUED:
                self._admit(row, self._rules[row["job_id"]], self._ahead.setdefault(row["job_id"], []))

    def write(self) -> None:
        """Order to kill, and skip, what has to make way, and miss what is too late."""
        miss(self._connection, self._late, self._now)
        order_kills(self._connection, self._kills)
        query = select(runs.c.id, runs.c.run_id, runs.c.job_id)
        for some in chunks(sorted(self._replaced)):
            queued = query.where(runs.c.run_id.in_(some), runs.c.status == Status.QUEUED.value)
            found = self._connection.execute(queued.order_by(runs.c.run_id).with_for_update()).all()
            changed = [
                {"id": row.id, "run_id": row.run_id, "job_id": row.job_id}
                | skipped(self._replaced[row.run_id], self._now)
                for row in found
            ]
            update_rows(self._connection, runs, changed)

    def _admit(self, row: Row, rules: Rules, ahead: list[OpenRun]) -> None:
        verdict = admit(rules, ahead)
        if rules.overlap is Overlap.REPLACE:
            self._replace(ahead, replaced_by(row["slot"]))
        if verdict.admission is Admission.SKIP:
            row |= skipped(verdict.reason, self._now)
            return
        waits = verdict.admission is Admission.WAIT
        if waits:
            row |= {"publish_after": None, "reason": verdict.reason}
        new = OpenRun("", Status.QUEUED, row["slot"], waits=waits)
        self._new[id(new)] = row
        ahead.append(new)

    def _replace(self, ahead: list[OpenRun], reason: str) -> None:
        """What runs is killed, and stays ahead until it is dead; all else is skipped."""
        for run in ahead:
            if run.status is Status.RUNNING and run.runner:
                self._kills.append((run.runner, run.run_id, reason))
            elif new := self._new.get(id(run)):
                new |= skipped(reason, self._now)
            elif run.status is Status.QUEUED:
                self._replaced[run.run_id] = reason
        ahead[:] = [run for run in ahead if run.status is Status.RUNNING]
