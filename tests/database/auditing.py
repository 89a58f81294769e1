"""Audits of a ledger that injectors have written and somebody has tampered with, on any database."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, update

from cronq.database.categories import replace_category
from cronq.database.claims import claim_due
from cronq.database.expiry import delete_definitions, delete_runs
from cronq.database.jobs import request_run
from cronq.database.reading import auditing, ledger_pages, loose_ends
from cronq.database.reading.auditing import Audit, Question, find_job_ids
from cronq.database.retention import pruned_until
from cronq.database.tables import events, jobs, runs
from cronq.domain import auditing as domain
from cronq.domain.findings import Finding, JobName, Kind
from cronq.domain.jobs import Category
from cronq.domain.runs import Status
from tests.database.racing import RaceCase
from tests.database.store import MINUTELY, START, StoreCase, at, job

HOURLY = "R/2026-01-01T00:00:00/PT1H"
MINUTE = timedelta(minutes=1)


class AuditCase(StoreCase):
    """Reads a few rows at a time, so that each audit takes many reads."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(ledger_pages, "PAGE", 4)
        self.patch(auditing, "PAGE", 4)
        self.patch(auditing, "JOBS", 2)
        self.patch(loose_ends, "WINDOW", 3)

    def audit(self, meanwhile: Callable[[], Any] = lambda: None, **question: Any) -> Audit:
        """Audit all, or what is asked; between two reads something may happen."""
        audit = Audit(Question(**question))
        self.found: list[Finding] = []
        while not audit.finished:
            self.found += self.read(audit.step)
            meanwhile()
        self.assertEqual(audit.totals.findings, len(self.found))
        return audit

    def assertClean(self, meanwhile: Callable[[], Any] = lambda: None, **question: Any) -> Audit:
        """There is no finding."""
        audit = self.audit(meanwhile, **question)
        self.assertEqual([str(each) for each in self.found], [])
        self.assertEqual(audit.totals.rows_without_slot, 0, audit.totals.in_words())
        return audit

    def assertFinds(self, *expected: tuple[Kind, datetime | None, str | None], **question: Any) -> None:
        """An audit finds just that: kinds, slots and run ids."""
        self.audit(**question)
        self.assertEqual([(each.kind, each.slot, each.run_id) for each in self.found], list(expected))

    def claim_each(self, every: timedelta, until: datetime) -> None:
        """An injector looks now and then; what it claims succeeds."""
        while self.now < until:
            self.now += every
            self.claim()
        ended = {"status": "succeeded", "granted_at": self.now, "publish_after": None}
        self.execute(update(runs).where(runs.c.status == "queued").values(ended))


class LedgerTests(AuditCase):
    """What injectors and the web have written."""

    def test_nothing(self) -> None:
        """An installation without a job is in order."""
        audit = self.assertClean()
        self.assertEqual((audit.totals.jobs, audit.totals.slots, audit.until), (0, 0, START))

    def test_in_order(self) -> None:
        """Jobs were claimed in time or late, changed, removed and brought back: no slot is lost."""
        self.put(job("a"), job("b", HOURLY), job("c", "R3/2026-01-01T00:30:00/PT1M"))
        self.claim_each(MINUTE, at(0, 10))
        self.put(job("a", "R/2026-01-01T00:00:30/PT2M"), job("b", HOURLY, "changed"))
        self.claim_each(3 * MINUTE, at(1, 2))
        self.put(job("a"), job("c", "R/2026-01-01T00:00:00/PT20M"))
        self.claim_each(20 * MINUTE, at(3))
        self.do(request_run, self.row(jobs, name="a")["id"])
        self.now = at(3, 4, 30)
        self.claim_run()
        self.execute(
            update(runs).where(runs.c.status == "queued").values(status="failed", publish_after=None)
        )
        audit = self.assertClean()
        counts = {status: count for status, count in audit.totals.runs.items() if count}
        self.assertEqual(sum(counts.values()), audit.totals.slots + 1)
        self.assertEqual(counts[Status.FAILED], 1)
        self.assertEqual((audit.totals.jobs, audit.totals.by_hand), (3, 1))
        self.assertEqual(audit.totals.slots, 10 + 27 + 120 + 1 + 6)

    def test_pages_of_any_size(self) -> None:
        """However many rows a read has, the same is found."""
        self.put(job("a"), job("b"))
        self.claim_each(MINUTE, at(0, 20))
        self.execute(delete(runs).where(runs.c.slot.in_([at(0, 3), at(0, 4), at(0, 8), at(0, 20)])))
        found = []
        for size in (1, 2, 3, 5, 1000):
            self.patch(ledger_pages, "PAGE", size)
            audit = self.audit(until=at(0, 21))
            found.append((self.found, audit.totals))
        self.assertEqual(len(found[0][0]), 6)
        self.assertEqual([each == found[0] for each in found], [True] * 5)

    def test_progress(self) -> None:
        """It is known how far it is, which never goes back and ends with all."""
        self.put(job("a"), job("b"), job("c"))
        self.claim_each(MINUTE, at(0, 9))
        audit, shares = Audit(Question()), [0.0]
        while not audit.finished:
            self.read(audit.step)
            shares.append(audit.progress)
        self.assertEqual((shares, shares[-1]), (sorted(shares), 1.0))
        self.assertGreater(len(set(shares)), 5)


class TamperedTests(AuditCase):
    """A ledger that is not in order."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("a"), category="x")
        self.job_id = self.row(jobs)["id"]
        self.claim_each(MINUTE, at(0, 9))
        self.ids = {row["slot"]: row["run_id"] for row in self.rows(runs)}

    def change(self, at_slot: datetime, **values: Any) -> None:
        self.execute(update(runs).where(runs.c.slot == at_slot).values(values))

    def test_lost_rows(self) -> None:
        """Rows that are gone are told of with the job, first and last slot, and their number."""
        self.execute(delete(runs).where(runs.c.slot.between(at(0, 2), at(0, 7))))
        self.audit()
        (found,) = self.found
        self.assertEqual(found.job, JobName(self.job_id, "x", "a"))
        self.assertEqual(
            (found.kind, found.slot, found.last_slot, found.slots), (Kind.MISSING, at(0, 2), at(0, 7), 6)
        )

    def test_row_beside_its_slot(self) -> None:
        """A row that was moved leaves its slot without one."""
        self.change(at(0, 5), slot=at(0, 5, 1))
        self.assertFinds((Kind.MISSING, at(0, 5), None), (Kind.UNKNOWN_SLOT, at(0, 5, 1), self.ids[at(0, 5)]))

    def test_wrong_count(self) -> None:
        """A row for several slots says how many they are, or is told of."""
        self.execute(delete(runs).where(runs.c.slot.in_([at(0, 3), at(0, 4)])))
        self.change(at(0, 2), status="missed", last_slot=at(0, 4), slots=3)
        self.assertClean()
        self.change(at(0, 2), slots=4)
        self.assertFinds((Kind.WRONG_RANGE, at(0, 2), self.ids[at(0, 2)]))

    def test_twice(self) -> None:
        """A second attempt that no one asked for is told of, also at the edge of a page."""
        for minute in range(1, 10):
            row = {"run_id": f"{minute:032}", "job_id": self.job_id, "slot": at(0, minute), "attempt": 2}
            self.execute(insert(runs).values(row | {"status": "succeeded", "granted_at": self.now}))
        self.assertFinds(*((Kind.STARTED_TWICE, at(0, n), f"{n:032}") for n in range(1, 10)))
        self.execute(update(runs).where(runs.c.attempt == 1).values(status="lost", superseded=True))
        self.assertClean()

    def test_many_attempts(self) -> None:
        """More attempts at one slot than there are on a page are no trouble."""
        self.change(at(0, 5), status="lost", superseded=True)
        lost = {"job_id": self.job_id, "slot": at(0, 5), "status": "lost", "superseded": True}
        self.execute(insert(runs), [lost | {"run_id": f"{n:032}", "attempt": n} for n in range(2, 12)])
        self.assertEqual(self.assertClean().totals.runs[Status.LOST], 11)

    def test_second_runner(self) -> None:
        """What results has noted of a start that it did not grant is told of, of runs by hand, too."""
        self.do(request_run, self.job_id)
        by_hand = self.claim_run().run_id
        for run_id in (self.ids[at(0, 4)], by_hand):
            self.execute(insert(events).values(run_id=run_id, type="started_twice", host="b", once=1))
        self.assertFinds(
            (Kind.STARTED_TWICE, at(0, 4), self.ids[at(0, 4)]), (Kind.STARTED_TWICE, None, by_hand)
        )
        self.assertIn("on b", self.found[0].sentence)

    def test_without_end(self) -> None:
        """Runs that wait for an hour, or run for a day, are told of, those by hand too."""
        self.do(request_run, self.job_id)
        by_hand = self.claim_run().run_id
        self.change(at(0, 3), status="running")
        self.assertClean()
        self.now += timedelta(hours=25)
        self.assertFinds(
            (Kind.WITHOUT_END, at(0, 3), self.ids[at(0, 3)]),
            (Kind.WITHOUT_END, None, by_hand),
            until=at(0, 9, 30),
        )

    def test_started_twice_by_027(self) -> None:
        """A run that 0.27 started on two hosts is told of once; one that it only started again is not."""
        starts = [("a" * 32, "host 1"), ("b" * 32, "host 1"), ("c" * 32, "host 1"), ("b" * 32, "host 2")]
        starts += [("a" * 32, "host 1"), ("c" * 32, "host 3"), ("b" * 32, "host 2")]
        rows = [
            {"run_id": run_id, "host": host, "type": "starting", "datetime": at(0, n), "job_id": job_id}
            for n, (run_id, host) in enumerate(starts)
            for job_id in [None if run_id[0] == "c" else self.job_id]
        ]
        self.execute(insert(events), rows)
        self.assertFinds((Kind.STARTED_TWICE, None, "b" * 32), (Kind.STARTED_TWICE, None, "c" * 32))
        self.assertEqual(
            self.found[0].sentence, "cronq 0.27 has started it more than once, on host 1, host 2."
        )
        self.assertFinds((Kind.STARTED_TWICE, None, "b" * 32), job_id=self.job_id)
        self.assertClean(since=at(0, 8))

    def test_job_that_is_gone(self) -> None:
        """Rows of a job whose own row was deleted, as 0.27 does it, are still held against what it was."""
        self.execute(delete(jobs))
        self.assertClean()
        self.change(at(0, 5), slot=at(0, 5, 1))
        self.audit()
        self.assertEqual({each.job for each in self.found}, {JobName(self.job_id)})

    def test_rows_of_nobody(self) -> None:
        """Rows of a job that never was are rows without a slot."""
        row = {"run_id": "f" * 32, "job_id": 4711, "slot": at(0, 1), "status": "succeeded"}
        self.execute(insert(runs).values(row))
        self.assertFinds((Kind.UNKNOWN_SLOT, at(0, 1), "f" * 32))

    def test_unreadable(self) -> None:
        """A schedule that somebody has spoilt by hand is told of."""
        self.execute(update(jobs).values(schedule="each minute"))
        self.now += MINUTE
        self.claim()
        self.now += MINUTE
        self.audit()
        self.assertEqual([each.kind for each in self.found], [Kind.UNREADABLE])

    def test_which_job(self) -> None:
        """A job, be it removed, is named by its id, or by category and name, whatever slashes they have."""
        self.put(job("a/b"), category="x/y")
        other = self.row(jobs, name="a/b")["id"]
        self.put(category="x/y")
        for text, found in (
            (str(other), [other]),
            ("x/a", [self.job_id]),
            ("x/y/a/b", [other]),
            ("x", []),
            ("9", []),
        ):
            self.assertEqual(self.read(find_job_ids, text), found, text)

    def test_several(self) -> None:
        """Where several jobs may be meant, all of them are found."""
        self.put(job("a/b"), category="x/y")
        self.put(job("y/a/b"), category="x")
        ids = [self.row(jobs, name=name)["id"] for name in ("y/a/b", "a/b")]
        self.assertEqual(self.read(find_job_ids, "x/y/a/b"), ids)


class PeriodTests(AuditCase):
    """Only a part."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("a"), job("b"))
        self.first, self.second = (row["id"] for row in self.rows(jobs))
        self.now = at(0, 10)
        self.claim_each(MINUTE, at(0, 20))

    def test_bounds(self) -> None:
        """From an instant on and before another; a row that begins earlier reaches into it."""
        audit = self.assertClean(since=at(0, 8), until=at(0, 15))
        self.assertEqual(audit.totals.slots, 14)
        self.assertEqual(audit.totals.runs, {Status.MISSED: 6, Status.SUCCEEDED: 8})
        self.execute(delete(runs).where(runs.c.slot == at(0, 14)))
        self.assertClean(until=at(0, 14))
        self.assertClean(since=at(0, 15))
        self.assertFinds(*[(Kind.MISSING, at(0, 14), None)] * 2, since=at(0, 14), until=at(0, 14, 1))

    def test_one_job(self) -> None:
        """Of one job only."""
        self.execute(delete(runs).where(runs.c.job_id == self.first))
        self.assertClean(job_id=self.second)
        self.assertFinds((Kind.MISSING, at(0, 1), None), job_id=self.first)

    def test_by_hand(self) -> None:
        """Runs by hand belong to the time at which they were asked for."""
        for self.now in (at(1), at(2), at(3)):
            self.do(request_run, self.first)
            self.claim()
        self.now = at(3, 30)
        for since, until, count in (
            (None, None, 3),
            (at(2), None, 2),
            (at(1), at(3), 2),
            (at(3, 1), None, 0),
        ):
            self.assertEqual(self.audit(since=since, until=until).totals.by_hand, count)
            for few in (1, 100):  # of a job that has few, all are looked up at once
                self.patch(loose_ends, "FEW", few)
                found = [
                    self.audit(since=since, until=until, job_id=job_id).totals.by_hand
                    for job_id in (self.first, self.second)
                ]
                self.assertEqual(found, [count, 0])

    def test_where_ids_begin(self) -> None:
        """Rows that were made long before are not read; a clock that went back by hours hides none."""
        days = [START + timedelta(days=n) for n in (0, 1, 5, 9, 8.5, 10, 20, 21)]
        rows = [
            {"run_id": f"{n:032}", "job_id": self.first, "status": "succeeded", "queued_at": day}
            for n, day in enumerate(days)
        ]
        self.execute(insert(runs), rows)
        ids = [row["id"] for row in self.rows(runs, slot=None)]
        for day, first in ((None, self.rows(runs)[0]["id"]), (9, ids[3]), (21, ids[6]), (30, ids[-1] + 1)):
            since = None if day is None else START + timedelta(days=day)
            self.assertEqual(self.read(loose_ends.ids_of_runs, since).start, first)
        self.now = START + timedelta(days=40)
        audit = self.audit(since=days[3], until=days[-1] + MINUTE)
        self.assertEqual(audit.totals.by_hand, 4)

    def test_end_in_the_future(self) -> None:
        """What is not due yet is not audited."""
        self.assertEqual(self.assertClean(until=at(9)).until, self.now)


class UnclaimedTests(AuditCase):
    """Slots that no injector has claimed."""

    def test_no_injector(self) -> None:
        """After a minute it is told of, and when the injector is back all is in order."""
        self.put(job())
        self.now = at(0, 1, 59)
        self.assertClean()
        self.now = at(0, 3)
        self.assertFinds((Kind.UNCLAIMED, at(0, 1), None))
        self.assertEqual(self.found[0].slots, 2)
        self.claim()
        self.assertClean()

    def test_job_of_027(self) -> None:
        """A job of 0.27 is audited from its next run on, before its first claim and after."""
        self.now = at(2, 30)
        self.insert_old_job("old", at(1), timedelta(hours=1))
        self.assertFinds((Kind.UNCLAIMED, at(1), None))
        self.claim()
        self.now = at(3)
        self.claim()
        self.assertEqual(self.assertClean().totals.slots, 3)

    def test_job_of_027_without_slots(self) -> None:
        """One that runs by hand only has no slots, and its runs are in order."""
        self.insert_old_job("old", at(1), timedelta(hours=1), run_now=1)
        self.execute(update(jobs).values(next_run=None))
        self.claim()
        self.assertEqual(self.assertClean().totals.by_hand, 1)

    def test_changed_at_a_prompt(self) -> None:
        """What somebody changes in the job's row counts from the last claim on, as for the next one."""
        self.put(job())
        self.now = at(0, 2)
        self.claim()
        self.execute(update(jobs).values(schedule="R/2026-01-01T00:00:30/PT1M"))
        self.now = at(0, 4)
        self.assertFinds((Kind.UNCLAIMED, at(0, 2, 30), None))
        self.claim()
        self.assertClean()

    def test_books_that_were_set_back(self) -> None:
        """Rows beyond the cursor of a job, which somebody has set back, count all the same."""
        self.put(job())
        self.claim_each(MINUTE, at(0, 9))
        self.execute(update(jobs).values(settled_until=at(0, 2)))
        self.assertClean()


class MeanwhileTests(AuditCase):
    """While an audit is under way, all goes on."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("a"), job("b"), job("c"))
        self.claim_each(MINUTE, at(0, 12))

    def test_changes(self) -> None:
        """Jobs are changed, removed and brought back, and slots claimed: none of it is a finding."""
        documents = [
            [job("a", "R/2026-01-01T00:00:10/PT30S"), job("b")],
            [job("c")],
            [job("a"), job("b", HOURLY), job("c", "R/2026-01-01T00:00:10/PT30S")],
        ]

        def meanwhile() -> None:
            self.now += timedelta(seconds=50)
            self.claim()
            self.put(*documents[self.now.second % 3])

        for until in (None, at(5)):
            self.assertClean(meanwhile, until=until)

    def test_change_of_slots_that_are_due(self) -> None:
        """Somebody changes a schedule at a prompt, and what is due is claimed, between two reads."""
        self.now = at(0, 12, 50)

        def meanwhile() -> None:
            changed = {"schedule": "R/2026-01-01T00:00:10/PT15S", "next_run": at(0, 12, 10)}
            self.execute(update(jobs).where(jobs.c.next_run == at(0, 13)).values(changed))
            self.claim()

        self.assertClean(meanwhile)
        self.assertEqual(len(self.rows(runs, slot=at(0, 12, 40))), 3)

    def test_new_attempts(self) -> None:
        """A run is lost and is tried again between two reads."""

        def meanwhile() -> None:
            last = self.rows(runs)[-1]
            self.execute(update(runs).where(runs.c.id == last["id"]).values(status="lost", superseded=True))
            again = {"job_id": last["job_id"], "slot": last["slot"], "attempt": last["attempt"] + 1}
            self.execute(insert(runs).values(again | {"run_id": f"{last['id']:032}", "status": "succeeded"}))

        self.assertClean(meanwhile)

    def test_pruning(self) -> None:
        """Rows are pruned between two reads."""
        before = iter([at(0, 2), at(0, 8), at(0, 10)])

        def meanwhile() -> None:
            if (instant := next(before, None)) is not None:
                self.do(delete_runs, instant, 0, 1000)
                self.do(delete_definitions, instant, 1000)

        audit = self.assertClean(meanwhile)
        self.assertEqual(audit.pruned_until, at(0, 10))
        self.assertEqual(self.assertClean(since=at(0, 11)).pruned_until, None)
        self.assertEqual(self.assertClean(since=at(0, 9)).totals.slots, 9)
        self.assertEqual(self.read(pruned_until), at(0, 10))


class RaceTests(AuditCase, RaceCase):
    """An audit beside an injector and somebody who replaces the category, each in a thread of its own."""

    def test_race(self) -> None:
        """Nothing that is changed meanwhile is a finding."""
        names = [f"job {n}" for n in range(8)]
        schedules = [MINUTELY, "R/2026-01-01T00:00:30/PT20S", HOURLY]
        self.put(*(job(name) for name in names))
        done: list[bool] = []
        # The clock of the test runs much faster than an injector that waits for the locks of the other.
        self.patch(domain, "CLAIM_WITHIN", timedelta(days=1))

        def inject(database: Any) -> None:
            for _ in range(40):
                self.now += timedelta(seconds=17)
                self.now_do(database, claim_due, 100, "host.1")
            done.append(True)

        def replace(database: Any) -> None:
            for n in range(15):
                wanted = [
                    job(name, schedules[(n + len(name) + i) % 3])
                    for i, name in enumerate(names)
                    if (i + n) % 4
                ]
                self.now_do(database, replace_category, Category("example", tuple(wanted)))

        def audit(database: Any) -> list[str]:
            found: list[str] = []
            while not done:
                under_way = Audit(Question())
                while not under_way.finished:
                    found += map(str, self.now_read(database, under_way.step))
            return found

        _, _, *found = self.at_once(inject, replace, audit, audit)
        self.assertEqual(found, [[], []])
        self.patch(domain, "CLAIM_WITHIN", timedelta(0))
        self.claim()
        self.assertClean()
