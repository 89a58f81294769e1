"""Writing a batch of reports into the ledger, in one transaction, and deciding which starts are granted."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from cronq.database.bulk import insert_new, update_rows
from cronq.database.gateway import now as database_now
from cronq.database.tables import events, jobs, runs
from cronq.domain.messages import Grant, Report, ResultMessage
from cronq.domain.reports import RunState, apply_report, grant
from cronq.domain.runs import Status

_STATE = [
    runs.c.id, runs.c.run_id, runs.c.job_id, runs.c.status, runs.c.reason, runs.c.token, runs.c.runner,
    runs.c.host, runs.c.granted_at, runs.c.started_at, runs.c.ended_at, runs.c.recorded_at,
    runs.c.return_code, runs.c.run_time,
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
        self._removed = self._read_jobs({message.job_id for message in messages})
        self._ids: dict[str, int] = {}
        self._runs: dict[str, RunState] = {}
        self._lock({message.run_id for message in messages})
        self._adopt(messages)
        self._now = database_now(connection)
        self._changed: dict[str, RunState] = {}
        self._jobs: dict[int, dict[str, Any]] = defaultdict(dict)
        self._events: list[dict[str, Any]] = []

    def apply(self, message: ResultMessage) -> Grant | None:
        run = self._runs.get(message.run_id)
        if run is None:
            return grant(None, message)
        removed = self._removed.get(message.job_id, False)
        moved = apply_report(run, message, self._now, job_removed=removed)
        if moved != run:
            self._runs[run.run_id] = self._changed[run.run_id] = moved
            self._note_job(moved)
        answer = grant(moved, message) if message.token and message.report is Report.STARTING else None
        if answer is None or answer.granted:
            self._events.append(self._event(message))
        return answer

    def write(self) -> None:
        rows = [self._row(run) for run_id, run in sorted(self._changed.items())]
        update_rows(self._connection, runs, rows)
        insert_new(self._connection, events, self._events)
        by_columns = defaultdict(list)
        for job_id, values in sorted(self._jobs.items()):
            by_columns[tuple(sorted(values))].append({"id": job_id} | values)
        for _, job_rows in sorted(by_columns.items()):
            update_rows(self._connection, jobs, job_rows)

    def _read_jobs(self, job_ids: Iterable[int]) -> dict[int, bool]:
        query = select(jobs.c.id, jobs.c.removed_at).where(jobs.c.id.in_(sorted(job_ids)))
        return {row.id: row.removed_at is not None for row in self._connection.execute(query)}

    def _lock(self, run_ids: Iterable[str]) -> None:
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
            if message.run_id not in self._runs and not message.token
        }
        if unknown:
            now = database_now(self._connection)
            fresh = {"status": Status.QUEUED.value, "attempt": 1, "queued_at": now}
            rows = [{"run_id": run_id, "job_id": job_id} | fresh for run_id, job_id in unknown.items()]
            insert_new(self._connection, runs, rows)
            self._lock(unknown)

    def _note_job(self, run: RunState) -> None:
        if run.job_id not in self._removed or run.status is Status.SKIPPED:
            return
        job = self._jobs[run.job_id]
        if run.started_at:
            job["last_run_start"] = run.started_at
        if run.status is Status.RUNNING:
            job["current_status"] = Report.STARTING.value
        else:
            status = (Status.SUCCEEDED if run.status is Status.SUCCEEDED else Status.FAILED).value
            job |= {"current_status": status, "last_run_status": status, "last_run_stop": run.ended_at}

    def _event(self, message: ResultMessage) -> dict[str, Any]:
        return {
            "job_id": message.job_id if message.job_id in self._removed else None,
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
