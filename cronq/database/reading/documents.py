"""The document of a category as it is stored, and what another one would change."""

from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, select

from cronq.database.changes import Change
from cronq.database.comparing import compare, fingerprint
from cronq.database.stored import StoredJob, stored_jobs
from cronq.database.tables import categories, jobs
from cronq.domain.changes import Action, Difference, differences
from cronq.domain.document_writing import WrittenJob, write_document
from cronq.domain.jobs import Category

#: Jobs whose differences are told one by one; of more than that, how many they are.
MOST_TOLD = 100


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A category as it is stored."""

    name: str
    #: The document, as JSON for people.
    text: str
    jobs: int


@dataclass(frozen=True, slots=True)
class JobPreview:
    """What would be done to one job."""

    #: `job.added`, `job.changed` or `job.removed`.
    action: Action
    name: str
    #: None when it never was there.
    job_id: int | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What putting a document in place would do to its category."""

    #: False: it would be a new one.
    exists: bool
    added: int
    changed: int
    removed: int
    unchanged: int
    #: The first of them.
    jobs: tuple[JobPreview, ...]
    #: What the category is compared to, for `replace_category` to expect.
    fingerprint: str

    @property
    def empty(self) -> bool:
        """Whether nothing would be as it is not already."""
        return self.exists and not (self.added or self.changed or self.removed)

    @property
    def told(self) -> bool:
        """Whether all of them are told one by one."""
        return len(self.jobs) == self.added + self.changed + self.removed


def read_stored_document(connection: Connection, name: str) -> StoredDocument | None:
    """The document of the category of that name."""
    category_id = _find(connection, name)
    if category_id is None:
        return None
    live = [job for job in _stored(connection, category_id) if job.removed_at is None]
    return StoredDocument(name, write_document(name, map(_written, live)), len(live))


def read_preview(connection: Connection, wanted: Category) -> Preview:
    """What would change, and for which state of the category that holds."""
    category_id = _find(connection, wanted.name)
    stored = [] if category_id is None else _stored(connection, category_id)
    changes = compare(stored, wanted.jobs)
    told = tuple(map(_job, islice(changes.parts(), MOST_TOLD)))
    return Preview(
        category_id is not None,
        **changes.counts(),
        unchanged=changes.unchanged,
        jobs=told,
        fingerprint=fingerprint(stored),
    )


def _find(connection: Connection, name: str) -> int | None:
    found: int | None = connection.scalar(select(categories.c.id).where(categories.c.name == name))
    return found


def _stored(connection: Connection, category_id: int) -> list[StoredJob]:
    """Its jobs by id, the removed ones among them."""
    query = stored_jobs().where(jobs.c.category_id == category_id).order_by(jobs.c.id)
    return [StoredJob(*row) for row in connection.execute(query)]


def _written(job: StoredJob) -> WrittenJob:
    return WrittenJob(
        job.name, job.schedule_text, job.next_run, job.interval, job.command, job.routing_key, job.rules
    )


def _job(part: Change) -> JobPreview:
    return JobPreview(part.action, part.subject, part.job_id, differences(part.before, part.after))
