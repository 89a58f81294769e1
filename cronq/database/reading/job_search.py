"""What a person can look for among jobs, and how a database finds it."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, union

from cronq.database.facet_tables import job_facets
from cronq.database.reading.records import JobState
from cronq.database.tables import jobs, runs
from cronq.domain.facets import Facet, moment_text
from cronq.domain.runs import Status

#: A slot that nobody takes for so long says that no injector is up.
LATE_AFTER = timedelta(minutes=1)


class JobFilter(enum.StrEnum):
    """How it stands with a job."""

    #: Its last run came to no good end, even if it is tried again now.
    FAILING = "failing"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    #: People or its document keep its slots from running.
    PAUSED = "paused"
    #: No injector has taken its slot.
    LATE = "late"
    #: It never ran.
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Search:
    """What a person looks for: everything that is given must hold."""

    #: Part of the name or the command, in any case of letters.
    text: str = ""
    #: The name of a category.
    category: str = ""
    state: JobFilter | None = None
    owner: str = ""
    tag: str = ""

    def __bool__(self) -> bool:
        """Whether it asks for less than all jobs."""
        return bool(self.text or self.category or self.state or self.owner or self.tag)

    def conditions(self, category_id: int | None, now: datetime) -> Iterator[ColumnElement[bool]]:
        """What must hold for a row of `jobs`; `category_id` is that of its category."""
        yield jobs.c.removed_at.is_(None)
        if self.category:
            yield jobs.c.category_id == category_id
        if self.owner:
            yield _has(Facet.OWNER, job_facets.c.value == self.owner)
        if self.tag:
            yield _has(Facet.TAG, job_facets.c.value == self.tag)
        if self.state is not None:
            yield _in_state(self.state, now)
        if self.text:
            # The columns are compared byte by byte, so that names are exact; a person does not think of case.
            part = self.text.lower()
            columns = (jobs.c.name, jobs.c.command)
            yield or_(*(func.lower(column).contains(part, autoescape=True) for column in columns))

    def sources(self, category_id: int | None, now: datetime, limit: int) -> Iterator[Select[Any]]:
        """For what an index leads to: the ids of all jobs for which it holds, and perhaps of some others.

        Of more than `limit` it gives only some.
        """
        if self.category:
            yield select(jobs.c.id).where(jobs.c.category_id == category_id).limit(limit)
        if self.owner:
            yield _with(Facet.OWNER, job_facets.c.value == self.owner).limit(limit)
        if self.tag:
            yield _with(Facet.TAG, job_facets.c.value == self.tag).limit(limit)
        match self.state:
            case JobFilter.FAILING:
                yield select(jobs.c.id).where(_FAILING).limit(limit)
            case JobFilter.RUNNING:
                running = select(runs.c.job_id.label("id")).where(runs.c.status == Status.RUNNING.value)
                yield select(running.limit(limit).subquery().c.id).distinct()
            case JobFilter.NEVER:
                yield select(jobs.c.id).where(jobs.c.last_run_status.is_(None)).limit(limit)
            case JobFilter.LATE:
                yield select(jobs.c.id).where(jobs.c.next_run < now - LATE_AFTER).limit(limit)
            case JobFilter.PAUSED:
                by_people = select(jobs.c.id).where(jobs.c.paused_until > now).limit(limit).subquery()
                by_documents = _with(Facet.PAUSED_UNTIL, _later(now)).limit(limit).subquery()
                yield select(union(select(by_people.c.id), select(by_documents.c.id)).subquery().c.id)


# 0.27 also wrote `finished`, when a command had ended and failed.
_FAILING = jobs.c.last_run_status.in_((Status.FAILED.value, "finished"))


def _in_state(state: JobFilter, now: datetime) -> ColumnElement[bool]:
    match state:
        case JobFilter.FAILING:
            return _FAILING
        case JobFilter.RUNNING:
            return jobs.c.current_status == JobState.STARTING.value
        case JobFilter.SUCCEEDED:
            return jobs.c.last_run_status == Status.SUCCEEDED.value
        case JobFilter.NEVER:
            return and_(jobs.c.current_status.is_(None), jobs.c.last_run_status.is_(None))
        case JobFilter.LATE:
            return jobs.c.next_run < now - LATE_AFTER
        case JobFilter.PAUSED:
            return or_(jobs.c.paused_until > now, _has(Facet.PAUSED_UNTIL, _later(now)))


def _later(now: datetime) -> ColumnElement[bool]:
    return job_facets.c.value > moment_text(now)


def _with(facet: Facet, value: ColumnElement[bool]) -> Select[Any]:
    return select(job_facets.c.job_id.label("id")).where(job_facets.c.facet == facet.value, value)


def _has(facet: Facet, value: ColumnElement[bool]) -> ColumnElement[bool]:
    mine = job_facets.c.job_id == jobs.c.id
    return exists().where(job_facets.c.facet == facet.value, value, mine)
