"""What one injector finds when it looks for due jobs, on any database."""

from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from cronq.database.claims import PUBLISH_WITHIN, seconds_until_due
from cronq.database.jobs import request_run
from cronq.database.tables import definitions, jobs, runs
from cronq.domain.jobs import Publication
from tests.database.store import HOST, MINUTELY, START, TICK, StoreCase, at, job

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class ClaimTests(StoreCase):
    """Slots that are due."""

    def test_due_slot(self) -> None:
        """A job that is due becomes a queued run, with all that a runner must be told."""
        self.put(job("Report", command="make report", routing_key="slow"))
        self.now = at(0, 1)
        run = self.claim_run()
        self.assertEqual(
            run, Publication(run.run_id, run.job_id, "Report", "make report", "slow", at(0, 1), 1, 0)
        )
        row = self.row(runs)
        self.assertEqual(
            {
                key: row[key]
                for key in ("run_id", "job_id", "status", "slot", "attempt", "queued_at", "slots")
            },
            {
                "run_id": run.run_id,
                "job_id": run.job_id,
                "status": "queued",
                "slot": at(0, 1),
                "attempt": 1,
                "queued_at": self.now,
                "slots": 1,
            },
        )
        self.assertEqual(row["publish_after"], self.now + timedelta(seconds=PUBLISH_WITHIN))
        self.assertEqual(row["definition_id"], self.row(definitions)["id"])

    def test_the_job_moves_on(self) -> None:
        """The job's row says when it runs next and which injector took it, in no more than 64 characters."""
        self.put(job())
        self.now = at(0, 1, 30)
        self.claim(injector="injector-" + "x" * 80)
        row = self.row(jobs)
        self.assertEqual((row["next_run"], row["settled_until"]), (at(0, 2), at(0, 1, 30)))
        self.assertEqual(row["locked_by"], "injector-" + "x" * 55)

    def test_nothing_is_due(self) -> None:
        """Before its slot a job is left alone."""
        self.put(job())
        self.now = at(0, 1) - TICK
        self.assertEqual(self.claim().publications, ())
        self.assertEqual(self.rows(runs), [])

    def test_each_slot_once(self) -> None:
        """Who looks again at the same time finds nothing."""
        self.put(job())
        self.now = at(0, 1)
        self.assertEqual([len(self.claim().publications) for _ in range(3)], [1, 0, 0])

    def test_missed_slots(self) -> None:
        """After an outage the latest slot runs, and those before it are one row that says how many."""
        self.put(job())
        self.now = at(1)
        self.assertEqual(self.claim_run().slot, at(1))
        self.assertEqual(self.ledger(), [("missed", at(0, 1), at(0, 59), 59), ("queued", at(1), None, 1)])
        missed = self.row(runs, status="missed")
        self.assertEqual(missed["reason"], "no injector claimed it before a later slot was due")
        self.assertEqual((missed["recorded_at"], missed["publish_after"]), (at(1), None))

    def test_slots_of_microseconds(self) -> None:
        """A slot is kept to the microsecond, and found due to the microsecond."""
        self.put(job(schedule="R/2026-01-01T00:00:00.000001/PT1.5S"))
        self.now = START + timedelta(seconds=1.5)
        self.assertEqual(self.claim_run().slot, START + TICK)
        self.now += TICK
        self.assertEqual(self.claim_run().slot, self.now)

    def test_last_repetition(self) -> None:
        """A job with two repetitions runs twice and is then finished."""
        self.put(job(schedule="R2/2026-01-01T00:01:00/PT1M"))
        for self.now in (at(0, 1), at(0, 2), at(9)):
            self.claim()
        self.assertEqual([row[1] for row in self.ledger()], [at(0, 1), at(0, 2)])
        self.assertIsNone(self.row(jobs)["next_run"])

    def test_order_and_limit(self) -> None:
        """What has waited longest goes first, never too much, and a claim says when there may be more."""
        self.put(*(job(str(n), f"R/2026-01-01T00:0{9 - n}:00/PT1H") for n in range(5)))
        self.now = at(0, 30)
        claims = [self.claim(limit=2) for _ in range(3)]
        self.assertEqual(
            [[run.name for run in claim.publications] for claim in claims], [["4", "3"], ["2", "1"], ["0"]]
        )
        self.assertEqual([claim.full for claim in claims], [True, True, False])

    def test_full_with_runs_by_hand(self) -> None:
        """There may be more, also when some of what was found is wanted by hand as well."""
        self.put(job("a"), job("b"), job("c"))
        self.now = at(0, 1)
        self.do(request_run, self.row(jobs, name="a")["id"])
        self.assertTrue(self.claim(limit=2).full)

    def test_names_of_any_script(self) -> None:
        """Names, commands and keys come out as they went in, four-byte characters and quotes included."""
        wanted = job("Ünï\U0001f600 %s 'q\" \\", command="echo '\U0001f600' \\ %(x)s :y", routing_key="clé:%")
        self.put(wanted)
        self.now = at(0, 1)
        run = self.claim_run()
        self.assertEqual(
            (run.name, run.command, run.routing_key), (wanted.name, wanted.command, wanted.routing_key)
        )

    def test_sleep(self) -> None:
        """An injector knows how long it may sleep."""
        self.assertIsNone(self.read(seconds_until_due))
        self.put(job(), job("later", "R/2026-01-02T00:00:00/P1D"))
        self.now = at(0, 0, 20)
        self.assertEqual(self.read(seconds_until_due), 40)
        self.now = at(0, 5)
        self.assertEqual(self.read(seconds_until_due), 0)
        self.claim()
        self.do(request_run, self.row(jobs, name="later")["id"])
        self.assertEqual(self.read(seconds_until_due), 0)


class WrongClockTests(StoreCase):
    """Clocks that jump."""

    def test_backwards(self) -> None:
        """When the clock goes back no slot comes twice and none is lost, and the books stay closed."""
        self.put(job())
        for self.now in (at(0, 10), at(0, 3), at(0, 9), at(0, 10, 59), at(0, 2), at(0, 12)):
            before = self.row(jobs)["settled_until"]
            self.claim()
            self.assertGreaterEqual(self.row(jobs)["settled_until"], before)
        self.assertAccounted(self.row(jobs)["id"], MINUTELY, START, at(0, 12))

    def test_by_hand_while_the_clock_is_back(self) -> None:
        """A run by hand is made at any time, and leaves the slots alone."""
        self.put(job())
        self.now = at(0, 10)
        self.claim()
        self.now = at(0, 5)
        self.do(request_run, self.row(jobs)["id"])
        self.assertIsNone(self.claim_run().slot)
        self.assertEqual(self.row(jobs)["settled_until"], at(0, 10))
        self.assertEqual(self.row(jobs)["next_run"], at(0, 11))


class RunNowTests(StoreCase):
    """Runs by hand."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job(schedule="R1/2026-01-01T01:00:00/PT1H"))
        self.job_id = self.row(jobs)["id"]

    def test_one_run(self) -> None:
        """However often it is asked for before an injector looks, it is one run, without a slot."""
        for _ in range(3):
            self.assertEqual(self.do(request_run, self.job_id), self.now)
        self.assertIsNone(self.claim_run().slot)
        self.assertEqual(self.ledger(), [("queued", None, None, 1)])
        self.assertEqual(self.claim().publications, ())

    def test_again_after_the_claim(self) -> None:
        """Asked for after an injector took it, it is another run."""
        for _ in range(2):
            self.do(request_run, self.job_id)
            self.claim_run()
        self.assertEqual(len(self.rows(runs)), 2)

    def test_beside_a_slot(self) -> None:
        """A run by hand does not take the place of a slot that is due at the same time."""
        self.now = at(1)
        self.do(request_run, self.job_id)
        self.assertEqual({run.slot for run in self.claim().publications}, {at(1), None})

    def test_next_run_stays(self) -> None:
        """A run by hand changes nothing about the next slot."""
        self.do(request_run, self.job_id)
        self.claim()
        self.assertEqual(self.row(jobs)["next_run"], at(1))

    def test_finished_job(self) -> None:
        """A job whose last slot has passed can still be run by hand."""
        self.now = at(1)
        self.claim()
        self.do(request_run, self.job_id)
        self.assertIsNone(self.claim_run().slot)

    def test_no_such_job(self) -> None:
        """There is nothing to ask of a job that does not exist, or no longer."""
        self.assertIsNone(self.do(request_run, self.job_id + 1))
        self.put()
        self.assertIsNone(self.do(request_run, self.job_id))

    def test_removed_job(self) -> None:
        """A wish that 0.27's web wrote into the row of a removed job is forgotten."""
        self.put()
        self.execute(update(jobs).values(run_now=1))
        self.assertEqual(self.claim().publications, ())
        self.assertEqual(self.row(jobs)["run_now"], 0)


class InheritedJobTests(StoreCase):
    """Jobs as 0.27 stored them: a next run and an interval are all there is of their schedule."""

    def test_due(self) -> None:
        """It runs at its next run and every interval after that."""
        self.insert_old_job("old", at(0, 10), 10 * MINUTE)
        self.now = at(0, 45)
        self.assertEqual(self.claim_run().slot, at(0, 40))
        self.assertEqual(self.ledger(), [("missed", at(0, 10), at(0, 30), 3), ("queued", at(0, 40), None, 1)])
        self.assertEqual(self.row(jobs)["next_run"], at(0, 50))

    def test_definition(self) -> None:
        """What it runs by is noted, so that its slots can be computed again."""
        self.insert_old_job("old", at(0, 10), 10 * MINUTE, command="make")
        self.now = at(0, 10)
        self.claim()
        row = self.row(definitions)
        self.assertEqual((row["since"], row["until"], row["schedule"]), (at(0, 10) - TICK, None, None))
        self.assertEqual((row["anchor"], row["interval"], row["command"]), (at(0, 10), 10 * MINUTE, "make"))
        self.now = at(0, 20)
        self.claim()
        self.assertEqual(len(self.rows(definitions)), 1)

    def test_many_at_once(self) -> None:
        """A whole installation of them is taken over in one claim, each with its own definition."""
        for n in range(30):
            self.insert_old_job(str(n), at(0, 10), 10 * MINUTE, command=str(n))
        self.now = at(0, 10)
        commands = {run.job_id: run.command for run in self.claim().publications}
        self.assertEqual({row["job_id"]: row["command"] for row in self.rows(definitions)}, commands)
        self.assertEqual(len(commands), 30)

    def test_by_hand_before_the_next_run(self) -> None:
        """A run by hand does not close the books on the time to come."""
        self.insert_old_job("old", at(20), HOUR, run_now=1)
        self.now = at(1)
        self.assertIsNone(self.claim_run().slot)
        row = self.row(jobs)
        self.assertEqual((row["settled_until"], row["next_run"]), (at(1), at(20)))

    def test_without_interval(self) -> None:
        """A row without an interval is left alone, and told."""
        self.insert_old_job("old", at(0, 10), timedelta(0))
        self.now = at(0, 10)
        ((_, why),) = self.claim().unreadable
        self.assertEqual(why, "it has neither a schedule nor an interval")

    def test_next_run_in_antiquity(self) -> None:
        """Whoever sets the next run to the beginning of time makes the job run now, whatever it missed."""
        for year in (1, 1000, 1970):
            self.insert_old_job(f"since {year}", datetime(year, 1, 1), timedelta(seconds=1))
        self.assertEqual([run.slot for run in self.claim().publications], [START] * 3)
        self.assertGreater(max(row["slots"] for row in self.rows(runs)), 2**32)

    def test_nothing_but_nulls(self) -> None:
        """A row in which 0.27 left command and routing key empty goes to the default pool."""
        self.insert_old_job("old", at(0, 10), HOUR, command=None, routing_key=None)
        for self.now in (at(0, 10), at(1, 10)):
            run = self.claim_run()
            self.assertEqual((run.command, run.routing_key), ("", "default"))
        self.assertEqual(len(self.rows(definitions)), 1)

    def test_interval_changed_by_hand(self) -> None:
        """A new interval is a new definition, from where the old one has been accounted for."""
        self.insert_old_job("old", at(0, 10), 10 * MINUTE)
        self.now = at(0, 10)
        self.claim()
        self.execute(update(jobs).values(interval=MINUTE))
        self.now = at(0, 20)
        self.claim()
        self.assertEqual(
            [(row["since"], row["until"], row["interval"]) for row in self.rows(definitions)],
            [(at(0, 10) - TICK, at(0, 10), 10 * MINUTE), (at(0, 10), None, MINUTE)],
        )

    def test_next_run_moved_by_hand(self) -> None:
        """Whoever moves the next run of a job without schedule text moves all that follow it."""
        self.insert_old_job("old", at(0, 10), 10 * MINUTE)
        self.now = at(0, 10)
        self.claim()
        self.execute(update(jobs).values(next_run=at(0, 25)))
        self.now = at(0, 50)
        self.assertEqual(self.claim_run().slot, at(0, 45))
        self.assertEqual([row["anchor"] for row in self.rows(definitions)], [at(0, 10), at(0, 25)])


class EditedRowTests(StoreCase):
    """Rows that a person has changed at a prompt."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job())
        self.now = at(0, 1)
        self.claim()

    def test_next_run_in_the_past(self) -> None:
        """An earlier next run does not run a slot again."""
        self.execute(update(jobs).values(next_run=datetime(2020, 1, 1)))
        self.assertEqual(self.claim().publications, ())
        self.assertEqual(self.row(jobs)["next_run"], at(0, 2))

    def test_next_run_in_the_future(self) -> None:
        """A later next run keeps the job quiet until then; what was due meanwhile is accounted for."""
        self.execute(update(jobs).values(next_run=at(1)))
        self.now = at(0, 30)
        self.assertEqual(self.claim().publications, ())
        self.now = at(1)
        self.assertEqual(self.claim_run().slot, at(1))
        self.assertAccounted(self.row(jobs)["id"], MINUTELY, START, at(1))

    def test_command(self) -> None:
        """A command that was changed in the row is run, and the run points at what it was made with."""
        self.execute(update(jobs).values(command="new"))
        self.now = at(0, 2)
        self.assertEqual(self.claim_run().command, "new")
        old, new = self.rows(definitions)
        self.assertEqual((old["until"], new["since"], new["command"]), (at(0, 1), at(0, 1), "new"))
        self.assertEqual(self.row(runs, slot=at(0, 2))["definition_id"], new["id"])


class OneBadJobTests(StoreCase):
    """A job that makes trouble does not stop the others."""

    def setUp(self) -> None:
        super().setUp()
        self.put(job("bad"), job("good"))
        self.bad = self.row(jobs, name="bad")["id"]
        self.now = at(0, 1)

    def test_unreadable_schedule(self) -> None:
        """A schedule text that cannot be read is told once, and left alone from then on."""
        self.execute(update(jobs).where(jobs.c.id == self.bad).values(schedule="whenever"))
        claim = self.claim()
        self.assertEqual([run.name for run in claim.publications], ["good"])
        ((job_id, why),) = claim.unreadable
        self.assertEqual(job_id, self.bad)
        self.assertIn("whenever", why)
        self.assertEqual(self.claim().unreadable, ())

    def test_unreadable_schedule_by_hand(self) -> None:
        """It can still be run by hand."""
        self.execute(update(jobs).where(jobs.c.id == self.bad).values(schedule="whenever", run_now=1))
        self.assertEqual(
            {(run.name, run.slot) for run in self.claim().publications}, {("bad", None), ("good", at(0, 1))}
        )

    def test_mended_schedule(self) -> None:
        """When the category is replaced it runs again, and is not blamed for the time in between."""
        self.execute(update(jobs).where(jobs.c.id == self.bad).values(schedule="whenever"))
        self.claim()
        self.now = at(5)
        self.put(job("bad"), job("good"))
        self.assertEqual(self.row(jobs, name="bad")["next_run"], at(5, 1))

    def test_slot_that_is_taken(self) -> None:
        """A slot that has its row already is passed over, whoever has written it."""
        taken = {
            "run_id": "f" * 32,
            "job_id": self.bad,
            "slot": at(0, 1),
            "status": "succeeded",
            "host": HOST,
        }
        self.execute(insert(runs), taken)
        self.assertEqual([run.name for run in self.claim().publications], ["good"])
        self.assertEqual(self.row(runs, job_id=self.bad)["run_id"], "f" * 32)
        self.assertEqual(self.row(jobs, name="bad")["next_run"], at(0, 2))

    def test_two_definitions_are_never_current(self) -> None:
        """Whatever happens to a job, it answers to one definition at a time."""
        self.execute(update(jobs).where(jobs.c.id == self.bad).values(command="edited"))
        self.claim()
        self.put(job("bad", command="new"), job("good"))
        current = select(definitions.c.job_id).where(definitions.c.until.is_(None))
        found = self.read(lambda connection: list(connection.scalars(current)))
        self.assertEqual(sorted(found), sorted(row["id"] for row in self.rows(jobs)))
