"""Closing the books on jobs: a row in `runs` for every slot that is due, and the job moved on to its next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.exc import IntegrityError
from twisted.logger import Logger

from cronq.database.admissions import Admissions
from cronq.database.bulk import insert_rows, update_rows
from cronq.database.ranges import GrowingRanges
from cronq.database.rows import new_row, queued_row
from cronq.database.stored import StoredJob
from cronq.database.tables import jobs, runs
from cronq.domain.errors import BadSchedule
from cronq.domain.jobs import Publication
from cronq.domain.rules import Rules, decode_rules
from cronq.domain.runs import Status, new_run_ids
from cronq.domain.settlement import Passed, Settlement, settle

log = Logger()

_PUT_ASIDE = "its slots cannot be settled; it has no next run until it is changed"


@dataclass(slots=True)
class Closing:
    """What closing the books of several jobs came to."""

    #: The runs that were recorded and now wait to be published.
    publications: list[Publication] = field(default_factory=list)
    #: The jobs' new `next_run` and `settled_until`, as rows for an update by id.
    moved: list[dict[str, Any]] = field(default_factory=list)
    #: What has become of pauses and of slots to be skipped, as rows for an update.
    marked: list[dict[str, Any]] = field(default_factory=list)
    #: How many of the jobs it came to: fewer than all when these made more rows than were asked for.
    jobs: int = 0
    #: Jobs whose stored schedule cannot be read, and why.
    unreadable: list[tuple[int, str]] = field(default_factory=list)


def close_books(
    connection: Connection,
    due: Sequence[StoredJob],
    now: datetime,
    publish_within: float,
    most_rows: int | None = None,
) -> Closing:
    """Record every slot of these jobs that is due at `now`, and their runs by hand.

    Their rows are locked by this transaction. What is to run becomes queued runs, all else one row for each
    reason. Whoever asks has `publish_within` seconds to publish the runs, until any injector does. The jobs
    themselves are left for the caller to update, by `move_on`. No job is begun after `most_rows` rows.
    A job whose slots cannot be settled has no next run any more, and keeps no other from its own.
    """
    books = _Books(connection, due, now, now + timedelta(seconds=publish_within))
    for job in due:
        if most_rows is not None and len(books.rows) >= most_rows:
            break
        books.close(job)
    admissions = Admissions(connection, books.rules, now)
    admissions.admit(books.rows)
    admissions.write()
    return books.record()


def move_on(connection: Connection, closing: Closing, **also: Any) -> None:
    """Update the jobs after their books were closed; the same is done `also` to each."""
    update_rows(connection, jobs, [row | {"run_now": 0} | also for row in closing.moved])
    update_rows(connection, jobs, closing.marked)


class _Books:
    """Rows that are written together."""

    def __init__(
        self, connection: Connection, due: Sequence[StoredJob], now: datetime, publish_after: datetime
    ) -> None:
        self._connection = connection
        self._jobs = {job.id: job for job in due}
        self._now = now
        self._publish_after = publish_after
        self._ranges = GrowingRanges(connection, due)
        self._closing = Closing()
        #: By job: the new row that grows from now on.
        self._growing: dict[int, dict[str, Any]] = {}
        self.rows: list[dict[str, Any]] = []
        #: Those of the jobs that have any, by job.
        self.rules: dict[int, Rules] = {}

    def close(self, job: StoredJob) -> None:
        self._closing.jobs += 1
        # What stands for a job that is put aside.
        moved = {"id": job.id, "next_run": None, "settled_until": job.settled_until}
        self._closing.moved.append(moved)
        if not self._done(job, self._read_rules):
            return
        self._done(job, partial(self._close_slots, moved=moved))
        if job.run_now and job.removed_at is None:
            self.rows.append(self._queued(job, None))

    def record(self) -> Closing:
        for row, run_id in zip(self.rows, new_run_ids(self._now, len(self.rows)), strict=True):
            row["run_id"] = run_id
        recorded = _insert(self._connection, self.rows)
        self._ranges.write()
        for mark in self._closing.marked:
            if mark["id"] in self._growing:
                mark["range_run_id"] = self._growing[mark["id"]]["run_id"]
        self._closing.publications = [
            _publication(row, self._jobs[row["job_id"]]) for row in recorded if row["publish_after"]
        ]
        return self._closing

    def _done(self, job: StoredJob, step: Callable[[StoredJob], None]) -> bool:
        """Do something for a job that takes no query; whatever is wrong with it concerns no other job."""
        rows = len(self.rows)
        try:
            step(job)
        except BadSchedule as error:
            self._closing.unreadable.append((job.id, str(error)))
        except MemoryError:
            raise  # not the fault of the job
        except Exception as error:
            log.failure("job {job_id}, {name}: {what}", job_id=job.id, name=job.name, what=_PUT_ASIDE)
            del self.rows[rows:]
            if job.next_run is not None and job.next_run <= self._now:
                why = f"{_PUT_ASIDE}: {error!r}"
                self.rows.append(
                    self._passed(job, Passed(Status.MISSED, why, job.next_run, job.next_run, count=1))
                )
            return False
        return True

    def _read_rules(self, job: StoredJob) -> None:
        if job.rules:
            self.rules[job.id] = decode_rules(job.rules)

    def _close_slots(self, job: StoredJob, moved: dict[str, Any]) -> None:
        if job.next_run is None:
            return
        settled_until = job.books_closed(self._now)
        settlement = settle(job.schedule(), settled_until, self._now, job.terms())
        if settlement.passed or job.range_run_id or job.skip_slot:
            self._mark(job, settled_until, settlement)
        self.rows += [self._queued(job, slot) for slot in settlement.slots]
        moved |= {"next_run": settlement.next_run, "settled_until": settlement.settled_until}

    def _mark(self, job: StoredJob, settled_until: datetime, settlement: Settlement) -> None:
        """Rows for the slots that do not run; and which of them goes on to grow."""
        range_run_id = None if settlement.passed or settlement.slots else job.range_run_id
        for passed in settlement.passed:
            goes_on = passed is settlement.passed[-1] and not settlement.slots and passed.lasts
            if passed is settlement.passed[0] and self._ranges.grow(job, settled_until, passed):
                range_run_id = job.range_run_id if goes_on else None
                continue
            self.rows.append(self._passed(job, passed))
            if goes_on:
                self._growing[job.id] = self.rows[-1]
        skip_slot = job.skip_slot if job.skip_slot and job.skip_slot > settlement.settled_until else None
        mark = {"id": job.id, "range_run_id": range_run_id, "skip_slot": skip_slot}
        if job.id in self._growing or (range_run_id, skip_slot) != (job.range_run_id, job.skip_slot):
            self._closing.marked.append(mark)

    def _queued(self, job: StoredJob, slot: datetime | None) -> dict[str, Any]:
        return queued_row(job, slot, self._now, self._publish_after)

    def _passed(self, job: StoredJob, passed: Passed) -> dict[str, Any]:
        return new_row(job, self._now) | {
            "status": passed.status.value,
            "reason": passed.reason[:1000],
            "slot": passed.first,
            "last_slot": passed.last,
            "slots": passed.count,
            "recorded_at": self._now,
        }


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Insert the rows whose slot has no row yet; gives those."""
    if not rows:
        return []
    try:
        with connection.begin_nested():
            insert_rows(connection, runs, rows)
    except IntegrityError:
        rows = _without_row(connection, rows)
        insert_rows(connection, runs, rows)
    return rows


def _without_row(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = [(row["job_id"], row["slot"]) for row in rows if row["slot"]]
    taken = {
        (job_id, slot)
        for job_id, slot in connection.execute(
            select(runs.c.job_id, runs.c.slot).where(tuple_(runs.c.job_id, runs.c.slot).in_(wanted))
        )
    }
    return [row for row in rows if (row["job_id"], row["slot"]) not in taken]


def _publication(row: dict[str, Any], job: StoredJob) -> Publication:
    return Publication(
        run_id=row["run_id"],
        job_id=job.id,
        name=job.name,
        command=job.command,
        routing_key=job.routing_key,
        slot=row["slot"],
        attempt=1,
        rules=job.rules,
        publish_after=row["publish_after"],
    )
