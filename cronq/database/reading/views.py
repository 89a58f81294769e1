"""What each page shows, read in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cronq.database.gateway import now as database_now
from cronq.database.reading.cursors import Cursor
from cronq.database.reading.history import latest_failures
from cronq.database.reading.records import JobRecord, find_jobs
from cronq.database.reading.runs import RunPage, RunRecord
from cronq.domain.pauses import FOR_EVER
from cronq.domain.runs import Status
from cronq.domain.schedules.preview import Preview, preview
from cronq.domain.zones import wall_time

RUNS_ON_A_PAGE = 25
NEXT_SLOTS = 5


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with the run of the ledger that says how it stands with it."""

    job: JobRecord
    #: The latest that is running, and else the latest of all.
    telling: RunRecord | None

    @property
    def status(self) -> Status | None:
        """How it stands with the job; None when it never ran."""
        return self.telling.status if self.telling else self.job.reported_status

    @property
    def schedule(self) -> str:
        """The schedule as a phrase."""
        return self.job.schedule_in_words or "no more slots"

    @property
    def after(self) -> tuple[str, ...]:
        """The jobs of its category after which it runs."""
        return self.job.rules.after

    @property
    def schedules(self) -> tuple[str, ...]:
        """The texts of its schedules, as they are in its document; none for a job that 0.27 stored."""
        return self.job.schedule_texts()

    @property
    def limits(self) -> Mapping[str, Any]:
        """What else its document says of when it runs, key by key."""
        specification = self.job.specification()
        written = {} if specification is None else specification.as_document()
        return {key: value for key, value in written.items() if key != "schedule"}

    @property
    def zone(self) -> ZoneInfo | None:
        """By whose clocks it runs; None: those of UTC."""
        specification = self.job.specification()
        return specification.zone() if specification and self.job.schedule() else None

    def local(self, slot: datetime) -> datetime:
        """What these clocks show at a slot; at the end of time, which some cannot show, that of UTC."""
        try:
            return wall_time(slot, self.zone)
        except OverflowError:
            return slot

    def remarks(self, now: datetime) -> Preview | None:
        """The notes and warnings about its schedule; None when it has none to be read, or is removed."""
        specification = self.job.specification()
        if specification is None or self.job.schedule() is None or self.job.removed_at is not None:
            return None
        return preview(specification, now, NEXT_SLOTS)

    def next_slots(self, now: datetime) -> tuple[datetime, ...]:
        """The first slot that no one has accounted for, and the next few that are still to come.

        Those that a pause leaves out are not among them.
        """
        schedule, pause = self.job.schedule(), self.job.pause(now)
        found: list[datetime] = []
        slot = self.job.next_run
        if slot is not None and pause is not None and slot < pause.end:
            going_on = schedule if pause.end < FOR_EVER else None
            slot = going_on.first_after(pause.end - datetime.resolution) if going_on else None
        while slot is not None and len(found) < NEXT_SLOTS:
            found.append(slot)
            slot = schedule.first_after(max(slot, now)) if schedule else None
        return tuple(found)

    def next_run(self, now: datetime) -> datetime | None:
        """The first of these slots that nobody wants skipped."""
        return next((slot for slot in self.next_slots(now) if slot != self.job.skip_slot), None)


@dataclass(frozen=True, slots=True)
class FailuresView:
    """The page with the failed runs of all jobs."""

    now: datetime
    status: Status | None
    page: RunPage
    jobs: Mapping[int, JobRecord]


def read_failures(connection: Connection, since: Cursor, status: Status | None) -> FailuresView:
    """Failed runs from a place in their list on, of one status or of all."""
    page = latest_failures(connection, RUNS_ON_A_PAGE, since, status)
    jobs = find_jobs(connection, {run.job_id for run in page.runs if run.job_id is not None})
    return FailuresView(database_now(connection), status, page, jobs)
