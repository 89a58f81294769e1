"""Rows for the pages to show, one by one."""

import itertools
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from cronq.database.output_tables import outputs
from cronq.database.schema import HEAD
from cronq.database.tables import categories, definitions, events, jobs, metadata, runners, runs
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.messages import Report
from cronq.domain.outputs import Output
from cronq.domain.runs import Status
from cronq.domain.schedules import parse_schedule, step_after

NOW = datetime(2026, 11, 23, 7, 5, 20, 250_000)
EVERY_MINUTE = "R/2026-01-01T00:00:00Z/PT1M"
HOSTILE_NAMES = (
    "<script>alert(1)</script>",
    "\"quotes' & <b>bold</b>",
    "javascript:alert(1)",
    "../../etc/passwd",
    "عربى מימין لليسار \u202edesrever\u202c",
    "🦊 four bytes \U0001d518\U0001d52b",
    "x" * 255,
    "{{ 7 * 7 }} {% raw %}",
)

_numbers = itertools.count(1)


def create_tables(connection: Connection) -> None:
    """As an injector does, but at once."""
    metadata.create_all(connection)
    connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
    connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{HEAD}')")


def add_category(connection: Connection, name: str) -> int:
    return _insert(connection, categories, {"name": name})


def add_job(connection: Connection, category_id: int | None, name: str, **columns: Any) -> int:
    """A job that runs every minute and never ran, but for what `columns` say; gives its id."""
    schedule = columns.get("schedule", EVERY_MINUTE)
    row = {
        "name": name,
        "category_id": category_id,
        "schedule": schedule,
        "interval": step_after(parse_schedule(schedule), NOW) if schedule else None,
        "next_run": parse_schedule(schedule).first_after(NOW) if schedule else None,
        "command": "true",
        "routing_key": "default",
    } | columns
    job_id = _insert(connection, jobs, row)
    same = {key: row[key] for key in ("schedule", "command", "routing_key")}
    _insert(connection, definitions, {"job_id": job_id, "since": NOW - timedelta(days=30)} | same)
    return job_id


def remove_job(connection: Connection, job_id: int) -> None:
    gone = {"removed_at": NOW - timedelta(hours=3), "next_run": None}
    connection.execute(jobs.update().where(jobs.c.id == job_id).values(gone))


def add_run(connection: Connection, job_id: int, status: Status, **columns: Any) -> str:
    """A bare run, but for what `columns` say; gives its run id."""
    run_id = f"{next(_numbers):032x}"
    _insert(connection, runs, {"run_id": run_id, "job_id": job_id, "status": status.value} | columns)
    return run_id


def add_full_run(
    connection: Connection,
    job_id: int,
    status: Status,
    due: datetime,
    took: float | None = 1.25,
    **columns: Any,
) -> str:
    """A run with all its times and events, but for what `columns` say; gives its run id."""
    started = due + timedelta(milliseconds=340)
    ended = started + timedelta(seconds=took) if took is not None else None
    times = {
        "slot": due,
        "queued_at": due + timedelta(milliseconds=85),
        "published_at": due + timedelta(milliseconds=110),
        "granted_at": due + timedelta(milliseconds=320),
        "started_at": started,
        "ended_at": ended,
        "recorded_at": ended and ended + timedelta(milliseconds=60),
        "run_time": took,
        "publications": 1,
        "host": "worker-3.example.net",
        "runner": "worker-3.example.net.4711",
    }
    run_id = add_run(connection, job_id, status, **times | columns)
    add_event(connection, job_id, run_id, Report.STARTING, started)
    if ended:
        add_event(connection, job_id, run_id, Report.FINISHED, ended, columns.get("return_code"))
    return run_id


def add_output(connection: Connection, run_id: str, output: Output) -> None:
    _insert(connection, outputs, {"run_id": run_id, "size": output.size, "kept": output.encode()})


def add_event(
    connection: Connection,
    job_id: int | None,
    run_id: str,
    report: Report,
    at: datetime,
    return_code: int | None = None,
    once: int | None = 1,
) -> int:
    """An event; `once` is None for those of 0.27. Gives its id."""
    row = {"job_id": job_id, "run_id": run_id, "type": report.value, "datetime": at, "once": once}
    return _insert(connection, events, row | {"host": "worker-3.example.net", "return_code": return_code})


def add_inherited_run(
    connection: Connection, job_id: int | None, at: datetime, return_code: int | None = 0
) -> str:
    """The events of a run of 0.27, which has no end if it has no return code; gives its run id."""
    run_id = f"{next(_numbers):032x}"
    add_event(connection, job_id, run_id, Report.STARTING, at, once=None)
    if return_code is not None:
        end = at + timedelta(seconds=1)
        add_event(connection, job_id, run_id, Report.FINISHED, end, return_code, once=None)
    return run_id


def add_runner(
    connection: Connection, name: str, status: RunnerStatus = RunnerStatus.UP, **columns: Any
) -> None:
    """A runner that was heard of five seconds ago, but for what `columns` say."""
    row = {
        "id": name,
        "host": "worker-1.example.net",
        "home": "a" * 32,
        "version": "1.0.0",
        "queue": "cronq_jobs",
        "routing_keys": '["default"]',
        "concurrency": 4,
        "busy": 0,
        "status": status.value,
        "address": f"cronq_runner.{name}",
        "clock_ahead": 0.012,
        "first_heard": NOW - timedelta(days=2),
        "last_heard": NOW - timedelta(seconds=5),
    }
    connection.execute(insert(runners).values(row | columns))


def _insert(connection: Connection, table: Any, row: dict[str, Any]) -> int:
    key = connection.execute(insert(table).values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])
