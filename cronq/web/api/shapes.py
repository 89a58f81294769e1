"""What the API says of categories, jobs and runs, in the keys and types that 0.27 used."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cronq.database.reading.categories import CategoryRecord
from cronq.database.reading.details import EventIds, JobDetails
from cronq.database.reading.records import JobRecord, JobState
from cronq.database.reading.runs import EventRecord, RunRecord
from cronq.domain.pauses import FOR_EVER, Pause
from cronq.domain.rules import rules_as_json
from cronq.domain.schedule_keys import TIME_KEYS
from cronq.web.words.times import exact

Shape = dict[str, Any]


def category_shape(category: CategoryRecord) -> Shape:
    """A category."""
    return {"id": category.id, "name": category.name}


def job_shape(details: JobDetails) -> Shape:
    """A job with its latest runs."""
    job = details.job
    return {
        "id": job.id,
        "name": job.name,
        "category_id": job.category and job.category.id,
        "category": job.category and category_shape(job.category),
        **_schedule_shape(job),
        "interval": None if job.interval is None else job.interval.total_seconds(),
        "next_run": _time(job.next_run),
        "last_run_start": _time(job.last_run_start),
        "last_run_stop": _time(job.last_run_stop),
        "last_run_status": job.last_run_status,
        "last_run_text": _last_run_text(job),
        "current_status": job.state,
        "routing_key": job.routing_key,
        "command": job.command,
        "rules": rules_as_json(job.rules_text),
        "paused": pause_shape(job.pause(details.now)),
        "skip_slot": job.skip_slot and job.skip_slot.isoformat(),
        "locked_by": job.locked_by,
        "removed_at": _time(job.removed_at),
        "runs": [_run_shape(run, details.events.get(run.run_id, EventIds())) for run in details.runs],
    }


def pause_shape(pause: Pause | None) -> Shape | None:
    """What keeps a job from running."""
    if pause is None:
        return None
    return {"until": None if pause.end >= FOR_EVER else _time(pause.end), "reason": pause.reason}


def run_shape(run: RunRecord, events: Sequence[EventRecord]) -> Shape:
    """A run and the ids of the events that told of its start and of its end."""
    started = next((each.id for each in events if not each.ends), None)
    return _run_shape(run, EventIds(started, next((each.id for each in reversed(events) if each.ends), None)))


def _run_shape(run: RunRecord, events: EventIds) -> Shape:
    return {
        "id": run.run_id,
        "job_id": run.job_id,
        "status": run.status,
        "started_at": _time(run.started_at),
        "started_event_id": events.started,
        "completed_at": _time(run.completed_at),
        "completed_event_id": events.ended if run.status.final else None,
        "return_code": run.return_code,
        "run_time": run.run_time,
        "host": run.host,
        "slot": run.slot and run.slot.isoformat(),
        "last_slot": run.last_slot and run.last_slot.isoformat(),
        "slots": run.slots,
        "attempt": run.attempt,
        "cause": run.cause,
        "reason": run.reason,
        "request": run.request and json.loads(run.request),
    }


def _schedule_shape(job: JobRecord) -> Shape:
    """When it runs, in the keys of a document, and in words."""
    specification = job.specification()
    keys = ("schedule", *TIME_KEYS)
    said = {"schedule": job.schedule_text} if specification is None else specification.as_document()
    return {key: said.get(key) for key in keys} | {"schedule_in_words": job.schedule_in_words}


def _last_run_text(job: JobRecord) -> str:
    if job.state is JobState.STARTING:
        return "Running now"
    return f"About {exact(job.last_run_stop)}" if job.last_run_stop else "Never"


def _time(moment: datetime | None) -> str | None:
    # Programs that were written for 0.27 expect no fraction.
    return None if moment is None else moment.isoformat(timespec="seconds")
