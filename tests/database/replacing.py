"""Replacing what a category consists of, on any database."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select, update

from cronq.database.access_tables import changes, latest_changes
from cronq.database.categories import CategoryChanged, replace_category
from cronq.database.jobs import request_run
from cronq.database.pausing import pause_job
from cronq.database.reading.documents import Preview, read_preview
from cronq.database.tables import categories, definitions, jobs, runs
from cronq.domain.access import SHELL
from cronq.domain.errors import BadSchedule
from cronq.domain.jobs import Category, JobDefinition
from cronq.domain.rules import Rules
from tests.database.store import MINUTELY, START, TICK, StoreCase, at, job

HOURLY = "R/2026-01-01T00:00:00/PT1H"
FIVE_MINUTELY = "R/2026-01-01T00:00:00/PT5M"


class ReplaceTests(StoreCase):
    """A document and then another one."""

    def names(self, *, removed: bool = False) -> set[str]:
        return {row["name"] for row in self.rows(jobs) if (row["removed_at"] is not None) == removed}

    def one(self, name: str = "Test Job") -> Any:
        return self.row(jobs, name=name)

    def test_new_job(self) -> None:
        """A new job waits for its first slot after now, and shows the length of its step."""
        self.now = at(0, 0, 30)
        self.put(job(command="make", routing_key="slow"))
        row = self.one()
        self.assertEqual(
            (row["next_run"], row["interval"], row["schedule"], row["command"], row["routing_key"]),
            (at(0, 1), timedelta(minutes=1), MINUTELY, "make", "slow"),
        )
        self.assertEqual(row["category_id"], self.row(categories, name="example")["id"])

    def test_slot_at_the_instant_of_its_making(self) -> None:
        """A slot at the very instant at which the job comes into being belongs to the time before it."""
        self.put(job())
        self.assertEqual(self.one()["next_run"], at(0, 1))

    def test_start_in_the_future(self) -> None:
        """A job whose start lies ahead waits for it, and its start is its first slot."""
        self.put(job(schedule="R/2026-01-01T05:00:00/P1D"))
        self.assertEqual(self.one()["next_run"], at(5))

    def test_finished_from_the_beginning(self) -> None:
        """A job all of whose slots have passed is stored and never runs."""
        self.now = at(9)
        self.put(job(schedule="R1/2026-01-01T00:00:00/PT1M"))
        self.assertIsNone(self.one()["next_run"])

    def test_longest_interval(self) -> None:
        """The longest step that a schedule may have can be stored."""
        self.put(job(schedule="R/2026-01-01/P7999Y"))
        self.assertIsNone(self.claim_run_or_none())

    def claim_run_or_none(self) -> Any:
        return next(iter(self.claim().publications), None)

    def test_unchanged_job(self) -> None:
        """The same document again changes nothing at all, not even while slots are due."""
        self.put(job(), job("other"))
        before = (self.rows(jobs), self.rows(definitions))
        self.now = at(0, 5)
        self.put(job("other"), job())
        self.assertEqual((self.rows(jobs), self.rows(definitions)), before)
        self.assertEqual(self.rows(runs), [])

    def test_changed_command(self) -> None:
        """What is due runs with the old command, what comes after it with the new one."""
        self.put(job(command="old"))
        self.now = at(0, 3)
        self.put(job(command="new"))
        self.assertEqual(self.ledger(), [("missed", at(0, 1), at(0, 2), 2), ("queued", at(0, 3), None, 1)])
        self.now = at(0, 4)
        self.assertEqual(self.claim_run().command, "new")
        commands = {row["id"]: row["command"] for row in self.rows(definitions)}
        made_with = {row["slot"]: commands[row["definition_id"]] for row in self.rows(runs)}
        self.assertEqual(made_with, {at(0, 1): "old", at(0, 3): "old", at(0, 4): "new"})

    def test_settled_runs_are_published(self) -> None:
        """What was settled by a change is published by any injector at once."""
        self.put(job(command="old"))
        self.now = at(0, 1)
        self.put()
        self.assertEqual(self.row(runs)["publish_after"], self.now)

    def test_changed_schedule(self) -> None:
        """The new schedule begins where the old one has been settled; no slot is lost or doubled."""
        self.put(job())
        self.now = at(0, 3, 20)
        self.put(job(schedule=FIVE_MINUTELY))
        self.assertEqual(self.one()["next_run"], at(0, 5))
        self.now = at(0, 21)
        self.claim()
        self.assertAccounted(self.one()["id"], MINUTELY, START, at(0, 3, 20))
        self.assertAccounted(self.one()["id"], FIVE_MINUTELY, at(0, 3, 20), self.now)

    def test_schedule_changed_at_a_slot(self) -> None:
        """A slot of both schedules, at the instant of the change, is one slot."""
        self.put(job())
        self.now = at(0, 5)
        self.put(job(schedule=FIVE_MINUTELY))
        self.claim()
        self.assertAccounted(self.one()["id"], MINUTELY, START, at(0, 5))
        self.assertEqual(self.one()["next_run"], at(0, 10))

    def test_definitions_meet(self) -> None:
        """One definition ends where the next begins, so that every instant has one."""
        for minute, command in ((0, "a"), (3, "b"), (7, "c")):
            self.now = at(0, minute)
            self.put(job(command=command))
        self.assertEqual(
            [(row["since"], row["until"]) for row in self.rows(definitions)],
            [(START, at(0, 3)), (at(0, 3), at(0, 7)), (at(0, 7), None)],
        )

    def test_removed_job(self) -> None:
        """What is due of a removed job is settled; the row stays, for its history, and never runs again."""
        self.put(job())
        self.now = at(0, 2)
        self.put()
        self.assertEqual(self.ledger(), [("missed", at(0, 1), at(0, 1), 1), ("queued", at(0, 2), None, 1)])
        self.assertAccounted(self.one()["id"], MINUTELY, START, self.now)
        self.assertEqual((self.one()["removed_at"], self.one()["next_run"]), (self.now, None))
        self.now = at(5)
        self.assertEqual(self.claim().publications, ())
        self.assertEqual([row["until"] for row in self.rows(definitions)], [at(0, 2)])

    def test_removed_twice(self) -> None:
        """A job that was removed stays as it was when another document comes."""
        self.put(job())
        self.put()
        before = self.one()
        self.now = at(1)
        self.put(job("other"))
        self.assertEqual(self.one(), before)

    def test_removed_and_added_again(self) -> None:
        """It is the same job, with its history; the slots in between were never its own."""
        self.put(job())
        self.now = at(0, 2)
        self.put()
        self.now = at(0, 10)
        self.put(job())
        self.now = at(0, 12)
        self.claim()
        self.assertEqual(len(self.rows(jobs)), 1)
        self.assertIsNone(self.one()["removed_at"])
        job_id = self.one()["id"]
        self.assertAccounted(job_id, MINUTELY, START, at(0, 2))
        self.assertAccounted(job_id, HOURLY, at(0, 2), at(0, 10))
        self.assertAccounted(job_id, MINUTELY, at(0, 10), at(0, 12))

    def test_removed_and_added_within_an_instant(self) -> None:
        """Without any time in between, no slot is lost or doubled."""
        self.put(job())
        self.now = at(0, 2)
        for _ in range(3):
            self.put()
            self.put(job())
        self.now = at(0, 5)
        self.claim()
        self.assertAccounted(self.one()["id"], MINUTELY, START, self.now)

    def test_renamed_job(self) -> None:
        """A new name is a new job; the old one keeps its history."""
        self.put(job("old"))
        self.put(job("new"))
        self.assertEqual((self.names(), self.names(removed=True)), ({"new"}, {"old"}))

    def test_names_are_exact(self) -> None:
        """Names that differ in case, accent or a space at the end are different jobs."""
        names = ["Job", "job", "job ", " job", "jöb", "jo\u0308b", "job\t"]
        self.put(*map(job, names))
        self.put(*map(job, names[1:]))
        self.assertEqual((self.names(), self.names(removed=True)), (set(names[1:]), {"Job"}))

    def test_category_names_are_exact(self) -> None:
        """So are categories."""
        for category in ("Cat", "cat", "cat ", "cät"):
            self.put(job(), category=category)
        self.assertEqual(len(self.rows(categories)), 4)
        self.assertEqual(len(self.rows(jobs)), 4)

    def test_longest_names(self) -> None:
        """255 of the widest characters fit, for a job, its key and its category."""
        long = "\U0001f600" * 255
        self.put(job(long, command="\U0001f600" * 16_383, routing_key=long), category=long)
        row = self.one(long)
        self.assertEqual((row["routing_key"], len(row["command"])), (long, 16_383))

    def test_other_categories(self) -> None:
        """A job of the same name in another category is another job."""
        self.put(job(), category="one")
        self.put(job(), category="two")
        self.put(category="one")
        self.assertEqual([row["removed_at"] is None for row in self.rows(jobs)], [False, True])

    def test_empty_category(self) -> None:
        """A category may be empty, from the beginning and again."""
        self.put()
        self.put(job())
        self.put()
        self.assertEqual(self.names(), set())

    def test_all_or_nothing(self) -> None:
        """When one job cannot be stored, nothing has happened: neither its neighbours nor the due slots."""
        self.put(job("a", command="old"), job("b"))
        self.now = at(0, 5)
        before = [self.rows(table) for table in (categories, jobs, definitions, runs)]
        bad = JobDefinition("c", "no schedule", "true")
        wanted = Category("example", (job("a", command="new"), job("d"), bad))
        self.assertFails(BadSchedule, replace_category, wanted)
        self.assertEqual([self.rows(table) for table in (categories, jobs, definitions, runs)], before)

    def test_run_by_hand_is_not_forgotten(self) -> None:
        """A run that was asked for is made, also when the job is changed before an injector looked."""
        self.put(job(command="old"))
        self.do(request_run, self.one()["id"])
        self.put(job(command="new"))
        self.assertEqual(self.ledger(), [("queued", None, None, 1)])
        self.assertEqual(self.one()["run_now"], 0)

    def test_finished_job_by_hand_and_changed(self) -> None:
        """The new schedule of a finished job begins now, also when a run by hand was just asked for."""
        self.put(job(schedule="R1/2026-01-01T00:01:00/PT1M"))
        self.now = at(0, 1)
        self.claim()
        self.now = at(9)
        self.do(request_run, self.one()["id"])
        self.put(job(schedule=MINUTELY))
        self.assertEqual(self.one()["next_run"], at(9, 1))

    def test_clock_that_went_back(self) -> None:
        """A change by a clock that is behind does not reopen what was settled."""
        self.put(job(command="old"))
        self.now = at(0, 10)
        self.claim()
        self.now = at(0, 4)
        self.put(job(command="new"))
        self.now = at(0, 12)
        self.claim()
        self.assertAccounted(self.one()["id"], MINUTELY, START, at(0, 12))

    def test_many_jobs(self) -> None:
        """More jobs than fit into one IN list: added, changed, removed and added again."""
        names = [str(n) for n in range(1201)]
        for command in ("one", "two"):
            self.put(*(job(name, command=command) for name in names))
            self.now += timedelta(minutes=1)
        self.put()
        self.put(*(job(name) for name in names))
        current = select(func.count()).where(definitions.c.until.is_(None))
        self.assertEqual(self.read(lambda connection: connection.scalar(current)), 1201)
        self.assertEqual(len(self.rows(jobs)), 1201)
        self.assertEqual(len(self.rows(runs)), 2 * 1201)


class InheritedCategoryTests(StoreCase):
    """A category that 0.27 stored, and the first document after the upgrade."""

    def setUp(self) -> None:
        super().setUp()
        self.put(category="example")
        self.category = self.row(categories)["id"]

    def test_due_slots_are_settled(self) -> None:
        """What was due under 0.27's interval is settled; the schedule text begins there."""
        job_id = self.insert_old_job("Test Job", at(0, 7), timedelta(minutes=7), category_id=self.category)
        self.now = at(0, 30)
        self.put(job(schedule=FIVE_MINUTELY))
        self.assertEqual(self.ledger(), [("missed", at(0, 7), at(0, 21), 3), ("queued", at(0, 28), None, 1)])
        self.now = at(0, 41)
        self.claim()
        self.assertAccounted(job_id, FIVE_MINUTELY, at(0, 30), self.now)

    def test_next_run_far_ahead(self) -> None:
        """A monthly job that becomes minutely runs within the minute, also after it was run by hand."""
        self.insert_old_job("Test Job", at(23), timedelta(days=30), category_id=self.category, run_now=1)
        self.claim()
        self.now = at(0, 10)
        self.put(job())
        self.assertEqual(self.row(jobs)["next_run"], at(0, 11))

    def test_wanted_by_hand_and_changed_at_once(self) -> None:
        """The same, when no injector has seen the wish before the change."""
        self.insert_old_job("Test Job", at(23), timedelta(days=30), category_id=self.category, run_now=1)
        self.now = at(0, 10)
        self.put(job())
        self.assertEqual(self.row(jobs)["next_run"], at(0, 11))
        self.assertEqual(self.row(definitions, until=None)["since"], at(0, 10))

    def test_removed(self) -> None:
        """A job that only 0.27 knew can be removed."""
        self.insert_old_job("Test Job", at(0, 7), timedelta(minutes=7), category_id=self.category)
        self.now = at(0, 7)
        self.put()
        self.assertEqual(self.ledger(), [("queued", at(0, 7), None, 1)])
        self.assertEqual(self.row(definitions)["until"], self.now)

    def test_run_now_of_any_value(self) -> None:
        """0.27 left NULL and 0 in `run_now`; neither is a wish."""
        for value in (None, 0):
            self.insert_old_job(str(value), at(5), timedelta(hours=1), run_now=value)
        self.execute(update(jobs).values(settled_until=START - TICK))
        self.assertEqual(self.claim().publications, ())


class ExpectedTests(StoreCase):
    """A category that is replaced only as long as it is what somebody thinks it is."""

    def look(self, *wanted: JobDefinition) -> Preview:
        return self.read(read_preview, Category("example", wanted))

    def put_expecting(self, fingerprint: str, *wanted: JobDefinition) -> None:
        self.do(replace_category, Category("example", wanted), SHELL, fingerprint)

    def test_as_expected(self) -> None:
        """What was looked at is put in place, also of a category that is not there yet."""
        self.put_expecting(self.look(job("a")).fingerprint, job("a"))
        self.put_expecting(self.look(job("b")).fingerprint, job("b"))
        self.assertEqual([row["name"] for row in self.rows(jobs, removed_at=None)], ["b"])

    def test_changed(self) -> None:
        """After any change of any job it is refused, and nothing is done."""
        self.put(job("a"), job("b"))
        seen = self.look().fingerprint
        for changed in (
            [job("a")],
            [job("a"), job("b"), job("c")],
            [job("a", command="false"), job("b")],
            [job("a", schedule="@daily"), job("b")],
            [job("a", routing_key="slow"), job("b")],
            [job("a", rules=Rules(retries=1)), job("b")],
        ):
            self.put(*changed)
            before = self.rows(jobs)
            self.assertFails(CategoryChanged, replace_category, Category("example", ()), SHELL, seen)
            self.assertEqual(self.rows(jobs), before)
            self.put(job("a"), job("b"))
        self.assertEqual(self.look().fingerprint, seen, "it has come back to what it was")

    def test_made_meanwhile(self) -> None:
        """A category that somebody has made in the meantime is not the one that was not there."""
        seen = self.look(job("a")).fingerprint
        self.put(job("a"))
        self.assertFails(CategoryChanged, replace_category, Category("example", (job("a"),)), SHELL, seen)

    def test_runs_are_no_change(self) -> None:
        """That it runs, and is paused, changes nothing of what it is."""
        self.put(job("a"))
        seen = self.look().fingerprint
        self.now += timedelta(minutes=5)
        self.claim()
        self.do(pause_job, 1, None, "")
        self.assertEqual(self.look().fingerprint, seen)

    def test_preview(self) -> None:
        """It counts what would be added, changed, removed and left; a removed one comes back as new."""
        self.put(job("a"), job("b"), job("c"), job("gone"))
        self.put(job("a"), job("b"), job("c"))
        found = self.look(job("a"), job("b", command="false"), job("gone"), job("d"))
        self.assertEqual((found.added, found.changed, found.removed, found.unchanged), (1, 2, 1, 1))
        told = [(each.action.value, each.name, each.job_id is None) for each in found.jobs]
        self.assertEqual(
            told,
            [
                ("job.added", "d", True),
                ("job.changed", "b", False),
                ("job.added", "gone", False),
                ("job.removed", "c", False),
            ],
        )


class LatestChangeTests(StoreCase):
    """By which change a category is what it is."""

    def latest(self) -> list[Any]:
        query = select(latest_changes.c.change_id).order_by(latest_changes.c.category_id)
        return list(self.read(lambda connection: connection.scalars(query).all()))

    def test_latest(self) -> None:
        """Each change of a category takes the place of the one before; what changes nothing does not."""
        self.put(job("a"))
        self.put(job("a"))
        self.put(job("b"), category="other")
        self.put(job("c"))
        whole = [row["id"] for row in self.rows(changes, action="category.replaced")]
        self.assertEqual(len(whole), 3)
        self.assertEqual(self.latest(), [whole[2], whole[1]])
