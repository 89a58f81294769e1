"""An audit of the whole ledger, or of a part of it, in many short reads of bounded size."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from cronq.database.gateway import now as database_now
from cronq.database.reading import loose_ends
from cronq.database.reading.books import job_names, read_books
from cronq.database.reading.ledger_pages import PAGE, first_page, next_job_ids, next_page
from cronq.database.retention import pruned_until
from cronq.database.tables import categories, jobs
from cronq.domain.audit_totals import Totals
from cronq.domain.audited_runs import count_run, faults_of_run
from cronq.domain.auditing import TICK, Books, JobAudit
from cronq.domain.findings import Finding, JobName, Kind
from cronq.domain.jobs import is_job_id, named_jobs

#: Jobs in one read.
JOBS = 25
#: How much of the whole is done when the slots are, and when the runs by hand are.
_AFTER_SLOTS, _AFTER_BY_HAND = 0.9, 0.97


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be audited; None: all that there is."""

    #: Slots, and runs by hand that were asked for, from this instant on …
    since: datetime | None = None
    #: … and before that one.
    until: datetime | None = None
    job_id: int | None = None


def find_job_ids(connection: Connection, text: str) -> list[int]:
    """The ids of the jobs that a person may mean by an id, or by category and name; also of removed ones."""
    if is_job_id(text):
        return list(connection.scalars(select(jobs.c.id).where(jobs.c.id == int(text))))
    found: list[int] = []
    for category, name in named_jobs(text):
        of_category = jobs.c.category_id == categories.c.id
        mine = select(jobs.c.id).join(categories, of_category).where(categories.c.name == category)
        found += connection.scalars(mine.where(jobs.c.name == name))
    return found


class Audit:
    """An audit under way: each step is one read, of about as many rows as are on a page.

    What the rows of a job are held against is read together with them, so nothing that anyone does meanwhile
    looks like a fault.
    """

    def __init__(self, question: Question) -> None:
        self.totals = Totals()
        #: What is audited: from here on; None: from the beginning.
        self.since = question.since
        #: Before that instant, which has come; None until the first step.
        self.until: datetime | None = None
        #: What lies before has been deleted, or may be meanwhile; None when the question begins later.
        self.pruned_until: datetime | None = None
        #: How much is done, from 0 to 1, as well as that can be known.
        self.progress = 0.0
        self.finished = False
        self._question = question
        self._job_id = question.job_id
        self._found: list[Finding] = []
        self._connection: Connection
        self._now: datetime
        self._end: datetime
        #: How many jobs there are to audit.
        self._jobs = 1
        self._work = self._audit_all()

    def step(self, connection: Connection) -> list[Finding]:
        """Go on for a bit; gives what was found."""
        self._connection, self._now = connection, database_now(connection)
        mark, since = pruned_until(connection), self._question.since
        if mark is not None and (since is None or since < mark):
            self.pruned_until = self.since = mark
        self._found = []
        next(self._work, None)
        self.totals.findings += len(self._found)
        return self._found

    def _audit_all(self) -> Iterator[None]:
        """All of it, with a pause wherever a read may end; what comes after that is in another one."""
        # What happened in this very moment is in it; to show the time, seconds are enough.
        self._end = min(self._question.until or datetime.max, self._now + TICK)
        self.until = min(self._end, self._now.replace(microsecond=0))
        yield from self._audit_slots()
        yield from self._audit_by_hand()
        yield from self._audit_inherited()
        self.progress, self.finished = 1.0, True

    def _audit_slots(self) -> Iterator[None]:
        count = select(func.count()).select_from(jobs)
        self._jobs = self._connection.scalar(count) or 1 if self._job_id is None else 1
        after = 0
        while job_ids := self._next_jobs(after):
            enough = self.totals.rows + PAGE
            names = job_names(self._connection, job_ids)
            books = read_books(self._connection, job_ids, self._now, self.pruned_until)
            for after in job_ids:
                paused = yield from self._audit_job(names[after], after, books[after])
                self._note_progress(within=0.0)
                if paused or self.totals.rows >= enough:
                    break
            yield

    def _next_jobs(self, after: int) -> list[int]:
        if self._job_id is None:
            return next_job_ids(self._connection, after, JOBS)
        return [self._job_id] if after < self._job_id else []

    def _audit_job(self, name: JobName, job_id: int, books: Books) -> Generator[None, None, bool]:
        """The slots of one job; gives whether they were too many for one read."""
        since = None if self.since is None else self.since - TICK
        audit = JobAudit(name, since or datetime.min, self._end - TICK, self.totals)
        page = first_page(self._connection, job_id, since, self._end - TICK)
        self._found += audit.account(books, page.rows)
        paused = not page.last
        while not page.last:
            self._note_progress(audit.progress)
            yield
            (books,) = read_books(self._connection, [job_id], self._now, self.pruned_until).values()
            after = page.rows[-1].slot
            assert after is not None
            page = next_page(self._connection, job_id, after, self._end - TICK)
            self._found += audit.account(books, page.rows)
        self._found += audit.close()
        return paused

    def _note_progress(self, within: float) -> None:
        """So much of one more job is audited."""
        self.progress = _AFTER_SLOTS * min(1.0, (self.totals.jobs + within) / self._jobs)

    def _audit_by_hand(self) -> Iterator[None]:
        ids = loose_ends.ids_of_runs(self._connection, self.since)
        few = self._job_id is not None and loose_ends.few_by_hand(self._connection, self._job_id)
        for window in [ids] if few and ids else loose_ends.windows(ids):
            found = loose_ends.runs_by_hand(self._connection, window, self.since, self._end, self._job_id)
            names = job_names(self._connection, {run.job_id for run in found})
            for run in found:
                count_run(self.totals, run)
                self.totals.runs[run.status] += 1
                self._found += faults_of_run(names[run.job_id], run, self._now)
            self.progress = _share(ids, window, _AFTER_SLOTS, _AFTER_BY_HAND)
            yield

    def _audit_inherited(self) -> Iterator[None]:
        ids = loose_ends.ids_of_inherited_events(self._connection, self.since)
        for window in loose_ends.windows(ids):
            found = loose_ends.restarted_runs(self._connection, window, self.since, self._end, self._job_id)
            names = job_names(self._connection, {run.job_id for run in found if run.job_id is not None})
            for run in found:
                job = JobName(None) if run.job_id is None else names[run.job_id]
                sentence = f"cronq 0.27 has started it more than once, on {', '.join(run.hosts)}."
                self._found.append(Finding(Kind.STARTED_TWICE, job, sentence, run_id=run.run_id))
            self.progress = _share(ids, window, _AFTER_BY_HAND, 1.0)
            yield


def _share(ids: range, window: range, before: float, after: float) -> float:
    return before + (after - before) * (window.stop - ids.start) / len(ids)
