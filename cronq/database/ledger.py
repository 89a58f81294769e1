"""Writing a batch of reports into the ledger, in one transaction, and deciding which starts are granted."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection, select

from cronq.database.bulk import insert_new, update_rows
from cronq.database.gateway import now as database_now
from cronq.database.tables import events, jobs, runs
from cronq.domain.messages import Grant, ResultMessage
from cronq.domain.reports import JobSummary, RunState, apply_report, grant, summarize
from cronq.domain.runs import Status

_STATE = [
    runs.c.id, runs.c.run_id, runs.c.job_id, runs.c.status, runs.c.reason, runs.c.token, runs.c.runner,
    runs.c.host, runs.c.granted_at, runs.c.started_at, runs.c.ended_at, runs.c.recorded_at,
    runs.c.return_code, runs.c.run_time,
]  # fmt: skip
_SUMMARY = [
    jobs.c.id, jobs.c.removed_at, jobs.c.last_run_start, jobs.c.last_run_stop, jobs.c.last_run_status,
    jobs.c.current_status,
]  # fmt: skip


def record_reports(connection: Connection, messages: Sequence[ResultMessage]) -> list[Grant | None]:
    """Write what these messages report; gives, for each that asks for a grant, the answer.

    The same messages again, or in another order, leave the same rows.
    """
    batch = _Batch(connection, messages)
    answers = [batch.apply(message) for message in messages]
    batch.write()
    return answers


class _Batch:
    """The rows that a batch of messages is about: read and locked, changed in memory, written at once."""

    def __init__(self, connection: Connection, messages: Sequence[ResultMessage]) -> None:
        self._connection = connection
        self._ids: dict[str, int] = {}
        self._runs: dict[str, RunState] = {}
        self._lock_runs({message.run_id for message in messages})
        self._adopt(messages)
        self._removed: dict[int, bool] = {}
        self._summaries: dict[int, JobSummary] = {}
        self._lock_jobs({run.job_id for run in self._runs.values()})
        self._now = database_now(connection)
        self._changed_runs: dict[str, RunState] = {}
        self._changed_jobs: dict[int, JobSummary] = {}
        self._events: list[dict[str, Any]] = []

    def apply(self, message: ResultMessage) -> Grant | None:
        run = self._runs.get(message.run_id)
        if run is None:
            return grant(None, message)
        removed = self._removed.get(run.job_id, False)
        moved = apply_report(run, message, self._now, job_removed=removed)
        if moved != run:
            self._runs[run.run_id] = self._changed_runs[run.run_id] = moved
            self._note_job(run, moved)
        answer = grant(moved, message) if message.asks else None
        if answer is None or answer.granted:
            self._events.append(self._event(message, run.job_id))
        return answer and replace(answer, first=answer.granted and moved != run)

    def write(self) -> None:
        rows = [self._row(run) for run_id, run in sorted(self._changed_runs.items())]
        update_rows(self._connection, runs, rows)
        job_rows = [{"id": job_id} | asdict(job) for job_id, job in sorted(self._changed_jobs.items())]
        update_rows(self._connection, jobs, job_rows)
        insert_new(self._connection, events, self._events)

    def _lock_runs(self, run_ids: Iterable[str]) -> None:
        # In the order of run ids, as everyone else does who locks several.
        query = select(*_STATE).where(runs.c.run_id.in_(sorted(run_ids))).with_for_update()
        for row in self._connection.execute(query):
            row_id, run_id, job_id, status, *rest = row
            self._ids[run_id] = row_id
            self._runs[run_id] = RunState(run_id, job_id, Status(status), *rest)

    def _adopt(self, messages: Sequence[ResultMessage]) -> None:
        """Make rows for runs that others than our injector have begun; those ask for no grant."""
        unknown = {
            message.run_id: message.job_id
            for message in messages
            if message.run_id not in self._runs and not message.asks
        }
        if unknown:
            now = database_now(self._connection)
            fresh = {"status": Status.QUEUED.value, "attempt": 1, "queued_at": now}
            rows = [{"run_id": run_id, "job_id": unknown[run_id]} | fresh for run_id in sorted(unknown)]
            insert_new(self._connection, runs, rows)
            self._lock_runs(unknown)

    def _lock_jobs(self, job_ids: Iterable[int]) -> None:
        # At once and in the order of their ids: an event also locks its job, by the foreign key, but only
        # for reading, and two batches that go on from there to writing would stop each other.
        query = select(*_SUMMARY).where(jobs.c.id.in_(sorted(job_ids))).order_by(jobs.c.id).with_for_update()
        for job_id, removed_at, *summary in self._connection.execute(query):
            self._removed[job_id] = removed_at is not None
            self._summaries[job_id] = JobSummary(*summary)

    def _note_job(self, before: RunState, run: RunState) -> None:
        summary = self._summaries.get(run.job_id)
        if summary is not None:
            noted = summarize(summary, before, run, self._now)
            self._summaries[run.job_id] = self._changed_jobs[run.job_id] = noted

    def _event(self, message: ResultMessage, job_id: int) -> dict[str, Any]:
        return {
            "job_id": job_id if job_id in self._summaries else None,
            "datetime": message.sent_at,
            "run_id": message.run_id,
            "type": message.report.value,
            "host": message.host[:255],
            "return_code": message.return_code,
            "once": 1,
        }

    def _row(self, run: RunState) -> dict[str, Any]:
        return {
            "id": self._ids[run.run_id],
            "run_id": run.run_id,
            "job_id": run.job_id,
            "status": run.status.value,
            "reason": run.reason and run.reason[:1000],
            "token": run.token,
            "runner": run.runner and run.runner[:64],
            "host": run.host and run.host[:255],
            "granted_at": run.granted_at,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "recorded_at": run.recorded_at,
            "return_code": run.return_code,
            "run_time": run.run_time,
            "publish_after": None,
        }
