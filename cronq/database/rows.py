"""New rows of the ledger."""

from datetime import datetime
from typing import Any

from cronq.database.stored import StoredJob
from cronq.domain.runs import Status


def new_row(job: StoredJob, now: datetime) -> dict[str, Any]:
    """What each has; every row has the same keys, so that all of them go into one statement."""
    return {
        "job_id": job.id,
        "definition_id": job.definition and job.definition.id,
        "queued_at": now,
        "publish_after": None,
        "reason": None,
        "last_slot": None,
        "slots": 1,
        "recorded_at": None,
    }


def queued_row(
    job: StoredJob, slot: datetime | None, now: datetime, publish_after: datetime
) -> dict[str, Any]:
    """One that is to run: of a slot or, without one, by hand."""
    return new_row(job, now) | {"status": Status.QUEUED.value, "slot": slot, "publish_after": publish_after}


def skipped(reason: str | None, now: datetime) -> dict[str, Any]:
    """What becomes of a row that does not run, by a rule."""
    return {"status": Status.SKIPPED.value, "reason": reason, "publish_after": None, "recorded_at": now}
