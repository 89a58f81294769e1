"""The one place where runs that have been published change their status: locked, changed, written at once.

(What is still queued may also become `unroutable`, `skipped` or `missed` by `outbox`, `admissions`, `limits`
and `backfilling`: conditional writes of their own, which a start that is granted meanwhile makes void.)
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete

from cronq.database.attempts import try_again
from cronq.database.bulk import find_rows, insert_new, update_rows
from cronq.database.following import follow
from cronq.database.gateway import now as database_now
from cronq.database.limits import release
from cronq.database.orders import find_kills
from cronq.database.output_tables import outputs
from cronq.database.rows import MovedRun, moved_rows, summary_row
from cronq.database.tables import events, jobs, runs
from cronq.domain.errors import IllegalMove
from cronq.domain.kills import call_off
from cronq.domain.messages import Report
from cronq.domain.outputs import Output
from cronq.domain.overlap import most_at_once
from cronq.domain.pauses import Pause, pause_of
from cronq.domain.reports import RunState
from cronq.domain.retrying import RETRIED
from cronq.domain.rules import DEFAULT_RULES, Rules, decode_rules
from cronq.domain.runs import Status, may_move
from cronq.domain.summaries import JobSummary, summarize

_STATE = [
    runs.c.id, runs.c.run_id, runs.c.job_id, runs.c.status, runs.c.reason, runs.c.token, runs.c.runner,
    runs.c.host, runs.c.granted_at, runs.c.started_at, runs.c.ended_at, runs.c.recorded_at,
    runs.c.return_code, runs.c.run_time, runs.c.superseded, runs.c.abandoned, runs.c.slot, runs.c.attempt,
    runs.c.cause, runs.c.queued_at,
]  # fmt: skip
_SUMMARY = [
    jobs.c.id, jobs.c.removed_at, jobs.c.rules, jobs.c.paused_until, jobs.c.pause_reason, jobs.c.followed,
    jobs.c.last_run_start, jobs.c.last_run_stop, jobs.c.last_run_status, jobs.c.current_status,
]  # fmt: skip


class RunBatch:
    """Runs that one transaction changes, and the jobs that they are of."""

    def __init__(
        self, connection: Connection, run_ids: Collection[str], others: Mapping[str, int] | None = None
    ) -> None:
        """Lock the runs and their jobs. `others` maps run ids to job ids: those that are not in the ledger,
        as a program of somebody else has begun them, are put there.
        """
        self._connection = connection
        self._ids: dict[str, int] = {}
        #: By run id.
        self.runs: dict[str, RunState] = {}
        self._lock_runs(run_ids)
        self._adopt(others or {})
        #: Ids of jobs that have been taken out of their category.
        self.removed: set[int] = set()
        #: The rules of jobs that have any, by id.
        self.rules: dict[int, Rules] = {}
        #: Ids of jobs after which others run.
        self._followed: set[int] = set()
        #: What keeps jobs from running, or has kept them, by id.
        self.pauses: dict[int, Pause] = {}
        self._summaries: dict[int, JobSummary] = {}
        self._lock_jobs({run.job_id for run in self.runs.values()})
        self.now = database_now(connection)
        self._before: dict[str, RunState] = {}
        self._changed_jobs: dict[int, JobSummary] = {}
        self._events: list[dict[str, Any]] = []
        self._outputs: list[dict[str, Any]] = []
        self._unstarted: set[str] = set()
        self._waiting: set[str] = set()

    def move(self, run: RunState) -> None:
        """Make the run what it is from now on. Raises `IllegalMove`."""
        before = self.runs[run.run_id]
        if run == before:
            return
        if run.status is not before.status and not may_move(before.status, run.status):
            raise IllegalMove(f"run {run.run_id} cannot become {run.status}: it is {before.status}")
        self.runs[run.run_id] = run
        self._before.setdefault(run.run_id, before)
        summary = self._summaries.get(run.job_id)
        if summary is not None:
            noted = summarize(summary, before, run, self.now)
            self._summaries[run.job_id] = self._changed_jobs[run.job_id] = noted

    def wait(self, run: RunState, reason: str | None) -> None:
        """Keep a queued run until others of its job have ended."""
        self._before.setdefault(run.run_id, run)
        self.runs[run.run_id] = replace(run, reason=reason)
        self._waiting.add(run.run_id)

    def note(
        self, run: RunState, kind: str, at: datetime, host: str | None, return_code: int | None = None
    ) -> None:
        """Add an event; of each run there is one of a kind."""
        self._events.append(
            {
                "job_id": run.job_id if run.job_id in self._summaries else None,
                "datetime": at,
                "run_id": run.run_id,
                "type": kind,
                "host": host and host[:255],
                "return_code": return_code,
                "once": 1,
            }
        )

    def keep(self, run_id: str, output: Output) -> None:
        """Store what is kept of the output of a run, once."""
        self._outputs.append({"run_id": run_id, "size": output.size, "kept": output.encode()})

    def forget_start(self, run_id: str) -> None:
        """What was announced has not happened."""
        self._unstarted.add(run_id)
        self._events = [
            event
            for event in self._events
            if (event["run_id"], event["type"]) != (run_id, Report.STARTING.value)
        ]

    def write(self) -> None:
        """Write what has changed, with the attempts that follow what came to no good end."""
        self._obey_kills()
        self._follow_up()
        if self._unstarted:
            announced = events.c.type == Report.STARTING.value, events.c.once == 1
            self._connection.execute(
                delete(events).where(events.c.run_id.in_(sorted(self._unstarted)), *announced)
            )
        self._write_runs()
        self._write_jobs()
        insert_new(self._connection, events, self._events)
        insert_new(self._connection, outputs, self._outputs)
        self._let_go()
        self._let_follow()

    def _lock_runs(self, run_ids: Iterable[str]) -> None:
        for row in find_rows(self._connection, _STATE, runs.c.run_id, sorted(run_ids), lock=True):
            row_id, run_id, job_id, status, *rest = row
            self._ids[run_id] = row_id
            self.runs[run_id] = RunState(run_id, job_id, Status(status), *rest)

    def _adopt(self, others: Mapping[str, int]) -> None:
        unknown = {run_id: job_id for run_id, job_id in others.items() if run_id not in self.runs}
        if unknown:
            now = database_now(self._connection)
            fresh = {"status": Status.QUEUED.value, "attempt": 1, "queued_at": now}
            rows = [{"run_id": run_id, "job_id": unknown[run_id]} | fresh for run_id in sorted(unknown)]
            insert_new(self._connection, runs, rows)
            self._lock_runs(unknown)

    def _lock_jobs(self, job_ids: Iterable[int]) -> None:
        # At once and in the order of their ids: an event also locks its job, by the foreign key, but only
        # for reading, and two batches that go on from there to writing would stop each other.
        for row in find_rows(self._connection, _SUMMARY, jobs.c.id, sorted(job_ids), lock=True):
            job_id, removed_at, rules, paused_until, pause_reason, followed, *summary = row
            if followed:
                self._followed.add(job_id)
            if removed_at is not None:
                self.removed.add(job_id)
            elif rules is not None:
                self.rules[job_id] = decode_rules(rules)
            if pause := pause_of(self.rules.get(job_id, DEFAULT_RULES), paused_until, pause_reason):
                self.pauses[job_id] = pause
            self._summaries[job_id] = JobSummary(*summary)

    def _obey_kills(self) -> None:
        """What is to be killed, and was handed back instead, is not queued for another runner."""
        back = [
            run_id
            for run_id, before in self._before.items()
            if before.status is Status.RUNNING and self.runs[run_id].status is Status.QUEUED
        ]
        for run_id, reason in find_kills(self._connection, back).items() if back else ():
            self.move(call_off(self.runs[run_id], reason, self.now))

    def _follow_up(self) -> None:
        ended = [
            self.runs[run_id]
            for run_id, before in self._before.items()
            if self.runs[run_id].status in RETRIED - {before.status}
            and self.runs[run_id].job_id in self._summaries.keys() - self.removed
        ]
        for run in try_again(self._connection, ended, self.now) if ended else ():
            self.runs[run.run_id] = run

    def _write_runs(self) -> None:
        moved = [
            MovedRun(self._ids[run_id], before, self.runs[run_id], self._publish_after(self.runs[run_id]))
            for run_id, before in sorted(self._before.items())
        ]
        update_rows(self._connection, runs, moved_rows(moved))

    def _publish_after(self, run: RunState) -> datetime | None:
        # What its runner handed back is for others at once.
        return self.now if run.status is Status.QUEUED and run.run_id not in self._waiting else None

    def _write_jobs(self) -> None:
        rows = [summary_row(job_id, summary) for job_id, summary in sorted(self._changed_jobs.items())]
        update_rows(self._connection, jobs, rows)

    def _let_go(self) -> None:
        """Where runs have ended, others of their job may have been waiting for that."""
        ended = {
            before.job_id
            for run_id, before in self._before.items()
            if not before.status.final and self.runs[run_id].status.final
        }
        rules = {job_id: self.rules[job_id] for job_id in ended & self.rules.keys()}
        limited = {job_id: each for job_id, each in rules.items() if most_at_once(each) is not None}
        if limited:
            release(self._connection, limited, self.now)

    def _let_follow(self) -> None:
        """Where runs have succeeded, other jobs may have been waiting for that."""
        succeeded = [
            self.runs[run_id]
            for run_id in self._before
            if self.runs[run_id].job_id in self._followed and self.runs[run_id].status is Status.SUCCEEDED
        ]
        if succeeded:
            follow(self._connection, succeeded, self.now)
