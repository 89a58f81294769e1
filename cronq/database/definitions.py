"""What a job was, from one change to the next."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from cronq.database.bulk import insert_rows, update_rows
from cronq.database.stored import StoredJob, with_definitions
from cronq.database.tables import definitions


def define_jobs(connection: Connection, found: Sequence[StoredJob], now: datetime) -> list[StoredJob]:
    """The same jobs with their definitions, which are made where 0.27, or a person at a prompt, made none."""
    known = with_definitions(connection, found)
    undefined = [job for job in known if not job.defined]
    if not undefined:
        return known
    since = {job.id: job.books_closed(now) for job in undefined}
    end_definitions(connection, undefined, since)
    insert_definitions(connection, [_definition(job, since[job.id]) for job in undefined])
    made = {job.id: job for job in with_definitions(connection, undefined)}
    return [made.get(job.id, job) for job in known]


def insert_definitions(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert new definitions: job_id, since, schedule, routing_key, command and rules of each."""
    insert_rows(connection, definitions, rows)


def end_definitions(
    connection: Connection, known: Iterable[StoredJob], until: Mapping[int, datetime]
) -> None:
    """These jobs answer no more to what they were, each from the instant of its id on."""
    rows = [
        {"id": job.definition.id, "job_id": job.id, "since": job.definition.since, "until": until[job.id]}
        for job in known
        if job.definition is not None
    ]
    update_rows(connection, definitions, rows)


def _definition(job: StoredJob, since: datetime) -> dict[str, Any]:
    return {
        "job_id": job.id,
        "since": since,
        "schedule": job.schedule_text,
        "anchor": job.next_run if job.schedule_text is None else None,
        "interval": job.interval if job.schedule_text is None else None,
        "routing_key": job.routing_key,
        "command": job.command,
        "rules": job.rules,
    }
