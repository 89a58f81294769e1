"""Several daemons at once, each in a thread of its own, on any database."""

import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

from sqlalchemy import func, insert, select, update
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cronq.database.categories import replace_category
from cronq.database.claims import claim_due
from cronq.database.gateway import Database
from cronq.database.jobs import request_run
from cronq.database.ledger import record_reports
from cronq.database.outbox import claim_unpublished, mark_published
from cronq.database.tables import categories, definitions, events, jobs, runs
from cronq.domain.jobs import Category, Publication
from cronq.domain.messages import Report, ResultMessage
from tests.database.store import MINUTELY, START, StoreCase, at, job, report, schedule_of

JOBS = 150
FIVE_MINUTELY = "R/2026-01-01T00:00:00/PT5M"


class AtOnce:
    """A clock for threads that may really wait, as one does between two tries of a transaction."""

    def callLater(self, seconds: float, function: Callable[..., Any], *args: Any) -> None:
        time.sleep(seconds)
        function(*args)


class RaceCase(StoreCase):
    """Runs functions at the same time, each with a door of its own to the database."""

    def at_once(self, *duties: Callable[[Database], Any]) -> list[Any]:
        """What each duty gives; all begin together."""
        start = Barrier(len(duties))

        def begin(duty: Callable[[Database], Any]) -> Any:
            database = self.gateway(AtOnce())
            start.wait(30)
            return duty(database)

        with ThreadPoolExecutor(len(duties)) as threads:
            return list(threads.map(begin, duties))

    @staticmethod
    def now_do(database: Database, function: Callable[..., Any], *args: Any) -> Any:
        """What a function gives in a transaction of this thread."""
        return _outcome(database.transact(function, *args))

    @staticmethod
    def now_read(database: Database, function: Callable[..., Any], *args: Any) -> Any:
        """What a function gives that only reads, in a transaction of this thread."""
        return _outcome(database.read(function, *args))

    def claiming(self, limit: int, found: list[Publication]) -> Callable[[Database], None]:
        """The duty of an injector: claim until nothing is left."""

        def duty(database: Database) -> None:
            while self.row_is_due():
                found.extend(self.now_do(database, claim_due, limit, "host.1").publications)

        return duty

    def row_is_due(self) -> bool:
        due = select(func.count()).where((jobs.c.next_run <= self.now) | (jobs.c.run_now == 1))
        with self.engine.connect().execution_options(cronq_write=False) as connection:
            return bool(connection.scalar(due))


def _outcome(work: Coroutine[Any, Any, Any]) -> Any:
    outcome: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(outcome.append)
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


class ClaimRaceTests(RaceCase):
    """Injectors at the same jobs."""

    def setUp(self) -> None:
        super().setUp()
        self.put(*(job(f"job {n}") for n in range(JOBS)))
        self.ids = [row["id"] for row in self.rows(jobs)]

    def assertClaimedOnce(self, found: Sequence[Publication]) -> None:
        """Every slot has one row, and every row that is queued was given to one injector."""
        for job_id in self.ids:
            self.assertAccounted(job_id, MINUTELY, START, self.now)
        given = Counter(run.run_id for run in found)
        self.assertEqual(given, Counter(row["run_id"] for row in self.rows(runs, status="queued")))

    def race(self, claimers: int, limit: int) -> None:
        found: list[Publication] = []
        self.at_once(*[self.claiming(limit, found)] * claimers)
        self.assertClaimedOnce(found)

    def test_two_injectors(self) -> None:
        """Two share the work: no slot is run twice, none is left out."""
        self.now = at(0, 3)
        self.race(2, 20)

    def test_four_injectors(self) -> None:
        """So do four, when the batches are small and some jobs are wanted by hand as well."""
        self.now = at(0, 1)
        self.execute(update(jobs).where(jobs.c.id.in_(self.ids[::3])).values(run_now=1))
        self.race(4, 7)
        by_hand = self.rows(runs, slot=None)
        self.assertEqual(sorted(row["job_id"] for row in by_hand), sorted(self.ids[::3]))

    def test_inherited_jobs(self) -> None:
        """Jobs that 0.27 stored are taken over by several injectors at once, each with one definition."""
        values = {"schedule": None, "settled_until": None, "next_run": at(0, 1)}
        self.execute(update(jobs).values(values))
        self.execute(definitions.delete())
        self.now = at(0, 4)
        found: list[Publication] = []
        self.at_once(*[self.claiming(9, found)] * 3)
        self.assertEqual(len(found), JOBS)
        self.assertEqual(sorted(row["job_id"] for row in self.rows(definitions)), self.ids)

    def test_wishes_while_claiming(self) -> None:
        """A run by hand that is asked for while injectors work is neither lost nor doubled."""
        self.now = at(0, 1)
        found: list[Publication] = []
        wished = self.ids[:40]

        def wish(database: Database) -> None:
            for job_id in wished:
                self.now_do(database, request_run, job_id)

        self.at_once(self.claiming(10, found), wish, self.claiming(10, found))
        self.claiming(10, found)(self.gateway(AtOnce()))
        by_hand = [run.job_id for run in found if run.slot is None]
        self.assertEqual(sorted(by_hand), sorted(wished))
        self.assertClaimedOnce(found)

    def test_republishing(self) -> None:
        """Of several injectors that look for what was never published, one gets each run."""
        self.now = at(0, 1)
        self.claim(JOBS)
        self.now = at(0, 2)

        def republish(database: Database) -> list[Publication]:
            found: list[Publication] = []
            while more := self.now_do(database, claim_unpublished, 11):
                self.now_do(database, mark_published, more)
                found += more
            return found

        shares = self.at_once(republish, republish, republish)
        self.assertEqual(Counter(run.job_id for share in shares for run in share), Counter(self.ids))


class ReplaceRaceTests(RaceCase):
    """Categories that are replaced while all else goes on."""

    def documents(self, count: int) -> list[Category]:
        """Different documents for one category: jobs come, go and change their command and schedule."""
        chance = random.Random(7)
        return [
            Category(
                "example",
                tuple(
                    job(f"job {n}", chance.choice([MINUTELY, FIVE_MINUTELY]), chance.choice(["a", "b"]))
                    for n in range(40)
                    if chance.random() < 0.8
                ),
            )
            for _ in range(count)
        ]

    def replacing(self, documents: Sequence[Category]) -> Callable[[Database], None]:
        def duty(database: Database) -> None:
            for document in documents:
                self.now_do(database, replace_category, document)

        return duty

    def test_new_category(self) -> None:
        """Several that make the same category at once make one, with what one of them said."""
        wanted = [Category("new", (job("a", command=word), job(word))) for word in "wxyz"]
        self.at_once(*(self.replacing([each]) for each in wanted))
        self.assertEqual(len(self.rows(categories)), 1)
        living = {(row["name"], row["command"]) for row in self.rows(jobs, removed_at=None)}
        self.assertIn(living, [{(each.name, each.command) for each in said.jobs} for said in wanted])

    def test_two_at_once(self) -> None:
        """The last one wins as a whole; nothing is mixed."""
        first, second = self.documents(8)[:4], self.documents(8)[4:]
        self.at_once(self.replacing(first), self.replacing(second))
        living = {(row["name"], row["schedule"], row["command"]) for row in self.rows(jobs, removed_at=None)}
        last = [
            {(each.name, each.schedule, each.command) for each in said.jobs}
            for said in (first[-1], second[-1])
        ]
        self.assertIn(living, last)
        self.assertOneCurrentDefinition()

    def test_while_injectors_claim(self) -> None:
        """Whatever changes while slots fall due: each slot of each definition is in the ledger once."""
        documents = self.documents(24)
        self.do(replace_category, documents[0])
        self.now = at(0, 1)
        found: list[Publication] = []

        def injector(database: Database) -> None:
            for _ in range(30):
                found.extend(self.now_do(database, claim_due, 15, "host.1").publications)

        def owner(database: Database) -> None:
            for document in documents:
                self.now += timedelta(seconds=47)
                self.now_do(database, replace_category, document)

        self.at_once(injector, owner, injector)
        self.now += timedelta(minutes=3)
        self.claiming(100, found)(self.gateway(AtOnce()))
        self.assertEqual(max(Counter(run.run_id for run in found).values()), 1)
        self.assertOneCurrentDefinition()
        self.assertAllAccounted()

    def assertOneCurrentDefinition(self) -> None:
        """Every living job answers to one definition, and no other job to any."""
        current = sorted(row["job_id"] for row in self.rows(definitions, until=None))
        self.assertEqual(current, [row["id"] for row in self.rows(jobs, removed_at=None)])

    def assertAllAccounted(self) -> None:
        """Each definition's slots are in the ledger, and no others are."""
        expected: Counter[Any] = Counter()
        for row in self.rows(definitions):
            due = schedule_of(row).slots_between(row["since"], row["until"] or self.now)
            expected.update((row["job_id"], slot) for slot in due)
        found = Counter((row["id"], slot) for row in self.rows(jobs) for slot in self.slots(row["id"]))
        self.assertEqual(found, expected)


class RecordRaceTests(RaceCase):
    """Results daemons at the same runs."""

    def setUp(self) -> None:
        super().setUp()
        self.put(*(job(f"job {n}") for n in range(10)))
        self.ids = [row["id"] for row in self.rows(jobs)]
        self.run_ids = [f"{n:032x}" for n in range(200)]
        self.now = at(0, 2)

    def job_of(self, run_id: str) -> int:
        return int(self.ids[int(run_id, 16) % len(self.ids)])

    def queue_all(self) -> None:
        rows = [{"run_id": each, "job_id": self.job_of(each), "status": "queued"} for each in self.run_ids]
        self.execute(insert(runs), rows)

    def message(self, kind: Report, run_id: str, **rest: Any) -> ResultMessage:
        return report(kind, run_id, self.job_of(run_id), at(0, 1, 30), **rest)

    def asking(self, number: int, granted: list[str]) -> Callable[[Database], None]:
        """The duty of a results daemon that takes every runner's requests, in an order of its own."""
        requests = [
            self.message(Report.STARTING, run_id, token=f"{number:032x}", start_time=at(0, 1))
            for run_id in self.run_ids
        ]
        random.Random(number).shuffle(requests)

        def duty(database: Database) -> None:
            for start in range(0, len(requests), 40):
                answers = self.now_do(database, record_reports, requests[start : start + 40])
                granted.extend(answer.run_id for answer in answers if answer.granted)

        return duty

    def test_grants(self) -> None:
        """Of several runners that ask several results daemons at once, exactly one may start each run."""
        self.queue_all()
        granted: list[str] = []
        self.at_once(*(self.asking(number, granted) for number in range(1, 4)))
        self.assertEqual(Counter(granted), Counter(self.run_ids))
        self.assertEqual(len(self.rows(events)), len(self.run_ids))

    def test_overlapping_batches(self) -> None:
        """The same reports by two daemons, in different orders and about the same jobs, are recorded once."""
        reports = [
            self.message(
                kind, run_id, start_time=at(0, 1), return_code=0 if kind is Report.FINISHED else None
            )
            for run_id in self.run_ids
            for kind in (Report.STARTING, Report.FINISHED)
        ]

        def recording(seed: int) -> Callable[[Database], None]:
            shuffled = random.Random(seed).sample(reports, len(reports))

            def duty(database: Database) -> None:
                for start in range(0, len(shuffled), 50):
                    self.now_do(database, record_reports, shuffled[start : start + 50])

            return duty

        self.at_once(*map(recording, range(3)))
        self.assertEqual(len(self.rows(runs, status="succeeded")), len(self.run_ids))
        self.assertEqual(len(self.rows(events)), 2 * len(self.run_ids))
        self.assertEqual({row["current_status"] for row in self.rows(jobs)}, {"succeeded"})

    def test_all_at_once(self) -> None:
        """Claims, confirms, reports and a new document at the same time: all come to their end."""
        self.queue_all()
        granted: list[str] = []
        found: list[Publication] = []

        def injector(database: Database) -> None:
            for _ in range(20):
                claim = self.now_do(database, claim_due, 3, "host.1")
                found.extend(claim.publications)
                self.now_do(database, mark_published, claim.publications)

        def owner(database: Database) -> None:
            for word in "abcdef":
                wanted = tuple(job(f"job {n}", command=word) for n in range(10))
                self.now_do(database, replace_category, Category("example", wanted))

        self.at_once(injector, self.asking(1, granted), owner, self.asking(2, granted))
        self.assertEqual(Counter(granted), Counter(self.run_ids))
        for job_id in self.ids:
            self.assertAccounted(job_id, MINUTELY, START, self.now)
