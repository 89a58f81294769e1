"""What a job was, from one change to the next."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from cronq.database.books import StoredJob
from cronq.database.tables import definitions


def define(connection: Connection, job: StoredJob, now: datetime) -> StoredJob:
    """Make the definition that a row lacks which 0.27, or a person at a prompt, has written."""
    since = job.settled_until or (job.next_run and job.books_closed(job.next_run)) or now
    if job.definition_id is not None:
        end_definitions(connection, {job.id: since})
    row = {
        "job_id": job.id,
        "since": since,
        "schedule": job.schedule_text,
        "anchor": job.next_run if job.schedule_text is None else None,
        "interval": job.interval if job.schedule_text is None else None,
        "routing_key": job.routing_key,
        "command": job.command,
    }
    made = connection.execute(insert(definitions).values(row)).inserted_primary_key
    assert made is not None
    return replace(job, definition_id=made[0])


def insert_definitions(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert new definitions: job_id, since, schedule, routing_key and command of each."""
    if rows:
        connection.execute(insert(definitions), rows)


def end_definitions(connection: Connection, ends: Mapping[int, datetime]) -> None:
    """The jobs with these ids answer no more to what they were, each from its instant on."""
    by_instant = defaultdict(list)
    for job_id, until in ends.items():
        by_instant[until].append(job_id)
    for until, job_ids in by_instant.items():
        current = definitions.c.job_id.in_(job_ids) & definitions.c.until.is_(None)
        connection.execute(update(definitions).where(current).values(until=until))
