"""The overview, the numbers at the head of the list of jobs, and the same for programs."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, update

from cronq.database.acknowledging import acknowledge
from cronq.database.standing_tables import daemons
from cronq.database.tables import jobs
from cronq.database.usual_tables import usual_durations
from cronq.domain.runs import Status, new_run_id
from tests.web.installation import seed_many, seed_small
from tests.web.seed import (
    HOSTILE_NAMES,
    NOW,
    add_category,
    add_full_run,
    add_job,
    add_run,
    add_runner,
    remove_job,
)
from tests.web.support import WebTestCase

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def add_daemon(connection: Connection, kind: str, name: str = "host.1", **columns: Any) -> None:
    """A daemon of which there was a sign just now."""
    row = {
        "kind": kind,
        "name": name,
        "host": name.partition(".")[0],
        "version": "1.0",
        "started_at": NOW - HOUR,
        "seen_at": NOW - SECOND,
        "connected": True,
    }
    connection.execute(insert(daemons).values(row | columns))


class OverviewCase(WebTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.category = self.write(add_category, "billing")

    def add_daemons(self) -> None:
        """All that is needed is up."""
        self.write(add_daemon, "injector")
        self.write(add_daemon, "results")
        self.write(add_runner, "r")

    def job(self, name: str = "j", **columns: Any) -> int:
        return int(self.write(add_job, self.category, name, **columns))

    def concerns(self) -> dict[str, Any]:
        """What needs attention, by its kind."""
        return {each["kind"]: each for each in self.overview()["attention"]}

    def overview(self) -> Any:
        return self.get("/api/overview").json["data"]["overview"]


class FreshTests(OverviewCase):
    def test_empty(self) -> None:
        """Where there is nothing yet, nothing is wrong, and each part of the page says what comes next."""
        for path in ("/overview", "/"):
            page = self.get(path).page
            self.assertIn("0 need attention", page.text)
            self.assertIn("injector not heard of yet", page.text)
            self.assertIn("broker not known", page.text)
            self.assertEqual(page.texts("title"), ["Overview · cronq" if "over" in path else "Jobs · cronq"])
        text = self.get("/overview").page.text
        for sentence in ("Nothing runs now.", "No job has a slot ahead.", "Nothing was due"):
            self.assertIn(sentence, text)
        self.assertEqual(self.overview()["trouble"], 0)

    def test_first_job(self) -> None:
        """As soon as there is a job, it is said which daemons are missing, and how to start them."""
        self.job()
        text = self.get("/overview").page.text
        for command in ("cronq-injector", "cronq-results", "cronq-runner"):
            self.assertIn(command, text)
        self.assertEqual(list(self.concerns()), ["no_injector", "no_results", "no_runner"])

    def test_all_is_well(self) -> None:
        """With all of them, nothing needs anybody."""
        self.job()
        self.add_daemons()
        page = self.get("/overview").page
        self.assertIn("Nothing. All that should run does", page.text)
        self.assertIn("injector up results up broker connected database answers", page.text)
        self.assertEqual(page.all("link")[0].attributes["href"][:20], "/static/favicon.svg?")


class DaemonTests(OverviewCase):
    def test_gone(self) -> None:
        """A daemon that gives no sign is told of, with how long; when others are up, as a lesser thing."""
        self.job()
        self.add_daemons()
        self.write(add_daemon, "injector", "other.2", seen_at=NOW - 3 * MINUTE)
        page = self.get("/overview").page
        self.assertIn("injector up, 1 gone", page.text)
        self.assertIn("Not heard of for 3 minutes: injector other.2", page.text)
        self.assertEqual(self.concerns()["daemon_gone"]["count"], 1)
        self.write(lambda connection: connection.execute(update(daemons).values(seen_at=NOW - 4 * MINUTE)))
        page = self.get("/overview").page
        self.assertIn("injector not heard of for 4 minutes", page.text)
        self.assertIn("No injector has been heard of for 4 minutes", page.text)

    def test_several(self) -> None:
        """Several of a kind are counted."""
        self.add_daemons()
        self.write(add_daemon, "results", "other.2")
        self.assertIn("results 2 up", self.get("/").page.text)
        self.assertEqual(len(self.overview()["daemons"]), 3)

    def test_broker(self) -> None:
        """When nobody reaches the broker, it is the broker; when one does not, it is that one."""
        self.add_daemons()
        self.write(add_daemon, "results", "other.2", connected=False)
        self.assertIn("Not connected to the broker: results other.2", self.get("/overview").page.text)
        self.write(lambda connection: connection.execute(update(daemons).values(connected=False)))
        page = self.get("/overview").page
        self.assertIn("broker not reached", page.text)
        self.assertIn("No daemon reaches the broker", page.text)
        self.assertIs(self.overview()["broker_connected"], False)

    def test_last_slot(self) -> None:
        """It is said how late the last slot was."""
        self.write(add_full_run, self.job(), Status.SUCCEEDED, NOW - MINUTE, queued_at=NOW - MINUTE + SECOND)
        self.assertIn("The last slot was taken 1 s after it was due, 1 minute ago.", self.get("/").page.text)
        self.assertEqual(self.overview()["last_slot"]["late"], 1.0)

    def test_late(self) -> None:
        """Slots that nobody takes are told of after a minute."""
        self.add_daemons()
        self.job(next_run=NOW - 59 * SECOND)
        self.assertEqual(self.concerns(), {})
        self.job("other", next_run=NOW - 5 * MINUTE)
        late = self.concerns()["late"]
        self.assertEqual(
            (late["count"], late["since"]), (1, (NOW - 5 * MINUTE).isoformat(timespec="seconds"))
        )
        self.assertEqual(late["title"], "1 job is due for up to 5 minutes, and no injector takes it")


class RunnerTests(OverviewCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_daemons()

    def queued(self, job_id: int, ago: timedelta, **columns: Any) -> None:
        """A run that was published so long ago."""

        def add(connection: Connection) -> None:
            (definition,) = connection.exec_driver_sql(
                f"SELECT id FROM definitions WHERE job_id = {job_id}"
            ).one()
            times = {"queued_at": NOW - ago, "publish_after": NOW, "publications": 1}
            add_run(connection, job_id, Status.QUEUED, definition_id=definition, **times | columns)

        self.write(add)

    def test_unserved(self) -> None:
        """A routing key without a runner is known before anything is due, with the command that helps."""
        self.job("a", routing_key="gpu host")
        found = self.concerns()["unserved"]
        self.assertEqual(found["title"], "No runner is up that serves the routing key gpu host")
        self.assertEqual(found["command"], "cronq-runner --queue 'gpu host'")
        self.queued(self.job("b", routing_key="gpu host"), 3 * MINUTE)
        self.assertIn(
            "2 jobs have it. Runs have been waiting for 3 minutes.", self.get("/overview").page.text
        )

    def test_several_keys(self) -> None:
        """Several of them are one thing, and count one by one."""
        for key in ("a", "b", "c", "default"):
            self.job(key, routing_key=key)
        self.write(remove_job, self.job("gone", routing_key="d"))
        self.assertEqual([each["name"] for each in self.concerns()["unserved"]["subjects"]], ["a", "b", "c"])
        self.assertEqual(self.overview()["trouble"], 3)

    def test_waiting(self) -> None:
        """Runs that no runner takes though one is up are told of after a minute, but for what is to wait."""
        job = self.job()
        self.queued(job, 59 * SECOND)
        self.queued(job, 2 * MINUTE, publish_after=None)  # for another run of its job
        self.queued(job, 2 * MINUTE, publications=0)  # for its time
        self.assertEqual(self.concerns(), {})
        self.queued(job, 3 * MINUTE)
        found = self.concerns()["waiting"]
        self.assertEqual(found["title"], "1 run waits for a free runner, the first for 3 minutes")
        self.assertIn("Routing keys: default (1).", found["advice"])

    def test_no_runner(self) -> None:
        """When none is up, or all are draining, that is one thing whatever the keys are."""
        self.write(lambda connection: connection.exec_driver_sql("UPDATE runners SET status = 'draining'"))
        self.queued(self.job("a", routing_key="x"), 3 * MINUTE)
        self.assertEqual(self.concerns()["no_runner"]["advice"][:11], "1 run waits")
        self.assertEqual(self.overview()["runners"]["draining"], 1)


class JobTests(OverviewCase):
    def setUp(self) -> None:
        super().setUp()
        self.add_daemons()

    def ended(self, job_id: int, status: Status, ago: timedelta) -> None:
        """What results writes when a run has ended so."""
        at = NOW - ago
        self.write(add_full_run, job_id, status, at - 2 * SECOND, 1.0, ended_at=at, recorded_at=at)
        last = "succeeded" if status is Status.SUCCEEDED else "failed"
        values = {"last_run_status": last, "last_run_stop": at, "last_run_start": at - SECOND}
        self.write(
            lambda connection: connection.execute(update(jobs).where(jobs.c.id == job_id).values(values))
        )

    def test_failing(self) -> None:
        """A job fails from its first failure after a success on; a success ends it."""
        job = self.job("Remind debtors")
        for status, ago in (("failed", 50), ("succeeded", 40), ("failed", 30), ("timed_out", 20)):
            self.ended(job, Status(status), ago * MINUTE)
        found = self.concerns()["failing"]
        self.assertEqual((found["title"], found["count"]), ("1 job is failing", 1))
        (subject,) = found["subjects"]
        self.assertEqual((subject["name"], subject["category"]), ("Remind debtors", "billing"))
        self.assertEqual(subject["since"], (NOW - 30 * MINUTE).isoformat(timespec="seconds"))
        page = self.get("/overview").page
        self.assertEqual(page.link("1 job is failing"), "/failures")
        self.assertEqual(page.link("Remind debtors"), f"/job/{job}")
        self.ended(job, Status.SUCCEEDED, 10 * MINUTE)
        self.assertEqual(self.concerns(), {})

    def test_known(self) -> None:
        """What somebody has acknowledged needs nobody, until the job has succeeded and fails anew."""
        job = self.job()
        self.ended(job, Status.FAILED, 50 * MINUTE)
        self.write(acknowledge, job, "the disk is on its way", None)
        self.ended(job, Status.LOST, 40 * MINUTE)
        self.assertEqual(self.concerns(), {})
        self.ended(job, Status.SUCCEEDED, 30 * MINUTE)
        self.ended(job, Status.FAILED, 20 * MINUTE)
        self.assertEqual(self.concerns()["failing"]["count"], 1)

    def test_lost(self) -> None:
        """A lost run is told of once, with the time of its loss, until its job succeeds."""
        job = self.job()
        self.ended(job, Status.FAILED, 40 * MINUTE)
        self.ended(job, Status.LOST, 20 * MINUTE)
        self.assertEqual(list(self.concerns()), ["lost"])
        found = self.concerns()["lost"]
        self.assertEqual(found["title"], "A run of 1 job is lost")
        self.assertEqual(found["subjects"][0]["since"], (NOW - 20 * MINUTE).isoformat(timespec="seconds"))
        self.assertEqual(self.overview()["trouble"], 1)
        self.ended(job, Status.SUCCEEDED, 10 * MINUTE)
        self.assertEqual(self.concerns(), {})

    def test_unroutable(self) -> None:
        """An unroutable run is told of until its job is started."""
        job = self.job()
        self.write(add_run, job, Status.UNROUTABLE, recorded_at=NOW - HOUR)
        self.assertEqual(self.concerns()["unroutable"]["count"], 1)
        started = {"last_run_start": NOW - MINUTE}
        self.write(lambda connection: connection.execute(update(jobs).values(started)))
        self.assertEqual(self.concerns(), {})

    def test_removed(self) -> None:
        """Of removed jobs nobody is told."""
        job = self.job()
        self.ended(job, Status.LOST, MINUTE)
        self.write(add_run, job, Status.UNROUTABLE, recorded_at=NOW)
        self.write(remove_job, job)
        self.assertEqual(self.concerns(), {})

    def test_trouble_shows(self) -> None:
        """The title counts what needs attention, and the icon is another one."""
        for name in "abc":
            self.ended(self.job(name), Status.FAILED, MINUTE)
        for path in ("/overview", "/"):
            page = self.get(path).page
            self.assertEqual(page.texts("title")[0][:4], "(3) ")
            self.assertEqual(page.all("link")[0].attributes["href"][:20], "/static/trouble.svg?")
            self.assertIn("3 things need attention.", page.text)
            self.assertEqual(self.get(page.all("link")[0].attributes["href"]).code, 200)
        self.assertEqual(self.get("/runners").page.texts("title"), ["Runners · cronq"])


class RunTests(OverviewCase):
    def test_short(self) -> None:
        """What has run for less than a second takes not long, however short it usually is."""
        job = self.job()
        self.usual(job, 0.01, 0.015)
        self.write(add_full_run, job, Status.RUNNING, NOW - 0.8 * SECOND, None)
        (running,) = self.overview()["longest_running"]
        self.assertFalse(running["overdue"])

    def usual(self, job_id: int, median: float, p95: float) -> None:
        row = {"job_id": job_id, "runs": 30, "median": median, "p95": p95, "computed_at": NOW}
        self.write(lambda connection: connection.execute(insert(usual_durations).values(row)))

    def test_running(self) -> None:
        """What takes longer than it usually does comes first, and says so; then comes what began first."""
        slow, fast, new = (self.job(name) for name in ("slow", "fast", "new"))
        self.usual(slow, 60, 100)
        self.usual(fast, 10, 20)
        self.write(add_full_run, slow, Status.RUNNING, NOW - 90 * SECOND, None)
        self.write(add_full_run, fast, Status.RUNNING, NOW - 40 * SECOND, None)
        self.write(add_full_run, new, Status.RUNNING, NOW - 20 * SECOND, None)
        found = self.overview()
        self.assertEqual([each["name"] for each in found["longest_running"]], ["fast", "slow", "new"])
        self.assertEqual([each["overdue"] for each in found["longest_running"]], [True, False, False])
        self.assertEqual(found["running"], 3)
        page = self.get("/overview").page
        self.assertEqual(page.text.count("longer than usual"), 1)
        labels = [each.attributes.get("aria-label", "") for each in page.all("svg")]
        self.assertIn("90 % of the longest it usually takes", labels)

    def test_coming(self) -> None:
        """The jobs that are due next, in order; a paused one says that it will be skipped."""
        self.job("later", next_run=NOW + 2 * MINUTE)
        self.job("sooner", next_run=NOW + MINUTE)
        self.job("paused", next_run=NOW + 3 * MINUTE, paused_until=NOW + HOUR, pause_reason="moving")
        self.assertEqual([each["name"] for each in self.overview()["coming"]], ["sooner", "later", "paused"])
        self.assertIn("it will be skipped: paused until", self.get("/overview").page.text)

    def test_hours(self) -> None:
        """Each run counts in its hour, in the chart and in the table that says the same."""
        job = self.job()
        for ago, status in ((2, Status.SUCCEEDED), (2, Status.FAILED), (0, Status.SUCCEEDED)):
            moment = NOW - ago * HOUR
            self.write(add_run, job, status, run_id=new_run_id(moment), queued_at=moment)
        counts = [each["runs"] for each in self.overview()["hours"]]
        self.assertEqual(
            (len(counts), counts[-1], counts[-3]), (24, {"succeeded": 1}, {"succeeded": 1, "failed": 1})
        )
        page = self.get("/overview").page
        self.assertIn("Mon 05:00 1 1", page.text)
        (label,) = (
            each.attributes["aria-label"]
            for each in page.all("svg")
            if each.attributes.get("class") == "hours"
        )
        self.assertIn("2 succeeded, 1 came to no good end", label)


class HostileTests(WebTestCase):
    def test_hostile(self) -> None:
        """Names, keys and hosts of all kinds are shown as what they are."""
        self.write(seed_small)
        for number, name in enumerate(HOSTILE_NAMES):
            self.write(add_daemon, "results", name[:60] + str(number), host=name, connected=bool(number % 2))
        text = self.get("/overview").page.text
        self.assertIn("<script>alert(1)</script>", text)
        self.assertEqual(self.get("/api/overview").code, 200)

    def test_large(self) -> None:
        """However much there is, the page stays small, and numbers say where nobody counts on."""
        self.write(seed_many, 3000, 2000)
        failed = {"last_run_status": "failed", "last_run_stop": NOW}
        self.write(lambda connection: connection.execute(update(jobs).values(failed)))
        answer = self.get("/overview")
        self.assertIn("1,000+ jobs are failing", answer.page.text)
        self.assertEqual(answer.page.texts("title")[0][:6], "(99+) ")
        self.assertLess(len(answer.body), 100_000)
