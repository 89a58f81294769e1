"""What a document means for the jobs that a category has, before and while it is put in place."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cronq.database.changes import Change
from cronq.database.stored import StoredJob
from cronq.domain.changes import Action, only_differing
from cronq.domain.jobs import JobDefinition
from cronq.domain.schedules import text_of_document


@dataclass(slots=True)
class Changes:
    """What has to be done to the jobs that are stored."""

    added: list[JobDefinition] = field(default_factory=list)
    #: Removed ones that come back are changed ones, too.
    changed: list[tuple[StoredJob, JobDefinition]] = field(default_factory=list)
    removed: list[StoredJob] = field(default_factory=list)
    #: How many stay as they are.
    unchanged: int = 0

    def __bool__(self) -> bool:
        """Whether there is anything to be done."""
        return bool(self.added or self.changed or self.removed)

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        return {"added": len(self.added), "changed": len(self.changed), "removed": len(self.removed)}

    def parts(self) -> Iterator[Change]:
        """Job by job, as the record has it, but for the ids of those that are not stored yet."""
        for new in self.added:
            yield Change(Action.JOB_ADDED, new.name, None, _is(new))
        for old, new in self.changed:
            if old.removed_at is not None:
                yield Change(Action.JOB_ADDED, new.name, None, _is(new), old.id)
            else:
                yield Change(Action.JOB_CHANGED, new.name, *only_differing(_was(old), _is(new)), old.id)
        for old in self.removed:
            yield Change(Action.JOB_REMOVED, old.name, _was(old), None, old.id)


def compare(stored: Iterable[StoredJob], wanted: Iterable[JobDefinition]) -> Changes:
    """Find what has to be done to come from the stored jobs to the wanted ones."""
    left = {job.name: job for job in stored}
    changes = Changes()
    for definition in wanted:
        job = left.pop(definition.name, None)
        if job is None:
            changes.added.append(definition)
        elif job.removed_at is not None or _differs(job, definition):
            changes.changed.append((job, definition))
        else:
            changes.unchanged += 1
    changes.removed = [job for job in left.values() if job.removed_at is None]
    return changes


def fingerprint(stored: Iterable[StoredJob]) -> str:
    """The same as long as no job is added, changed or removed: 64 hexadecimal digits."""
    live = sorted((job for job in stored if job.removed_at is None), key=lambda job: job.id)
    seen = sha256()
    for job in live:
        said = [job.id, job.name, job.schedule_text, job.command, job.routing_key, job.rules]
        seen.update(json.dumps(said).encode())
    return seen.hexdigest()


def _differs(job: StoredJob, definition: JobDefinition) -> bool:
    return (text_of_document(job.schedule_text), job.command, job.routing_key, job.rules) != (
        definition.schedule,
        definition.command,
        definition.routing_key,
        definition.rules.encode(),
    )


def _was(job: StoredJob) -> dict[str, Any]:
    return _state(text_of_document(job.schedule_text), job.command, job.routing_key, job.rules)


def _is(job: JobDefinition) -> dict[str, Any]:
    return _state(job.schedule, job.command, job.routing_key, job.rules.encode())


def _state(schedule: str | None, command: str, routing_key: str, rules: str | None) -> dict[str, Any]:
    """What the record says of a job."""
    more = {"rules": json.loads(rules)} if rules else {}
    return {"schedule": schedule, "command": command, "routing_key": routing_key} | more
