"""The audit, on its page and in the API."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert
from twisted.internet.defer import Deferred

from cronq.database.gateway import Database
from cronq.database.tables import runs, settings
from cronq.domain.findings import Kind
from cronq.domain.runs import Status
from cronq.web.actions import auditing
from cronq.web.http.exchange import Request
from cronq.web.words.wording import kind_word
from tests.web.seed import NOW, add_category, add_full_run, add_job, add_run, remove_job
from tests.web.support import WebTestCase

HOURLY = "R/2026-01-01T00:00:00Z/PT1H"
SEVEN = NOW.replace(minute=0, second=0, microsecond=0)
HOUR = timedelta(hours=1)


class AuditCase(WebTestCase):
    """A job that ran each hour, for two days."""

    def setUp(self) -> None:
        super().setUp()
        category = self.write(add_category, "c")
        self.job = self.write(add_job, category, "j", schedule=HOURLY, settled_until=NOW)
        self.write(self.add_runs)

    def add_runs(self, connection: Connection) -> None:
        for hours in range(48):
            add_full_run(connection, self.job, Status.SUCCEEDED, SEVEN - hours * HOUR)

    def forget(self, hours: int) -> None:
        """Delete the run of so many hours ago."""
        gone = delete(runs).where(runs.c.slot == SEVEN - hours * HOUR)
        self.write(lambda connection: connection.execute(gone))

    def audit(self, query: str = "") -> Any:
        return self.get(f"/api/audit{query}").json["data"]["audit"]


class ApiTests(AuditCase):
    """`GET /api/audit`."""

    def test_in_order(self) -> None:
        """Without a query it is about the last 24 hours of all jobs."""
        self.assertEqual(
            self.audit(),
            {
                "accounted_for": True,
                "complete": True,
                "finding_count": 0,
                "findings": [],
                "from": "2026-11-22T07:05:20",
                "to": "2026-11-23T07:05:20",
                "pruned_until": None,
                "jobs": 1,
                "slots": 24,
                "slots_without_row": 0,
                "runs_by_hand": 0,
                "runs_after_others": 0,
                "backfilled_runs": 0,
                "further_attempts": 0,
                "rows_without_slot": 0,
                "statuses": {"succeeded": 24},
            },
        )

    def test_findings(self) -> None:
        """Each finding comes with its ids."""
        for hours in (5, 6):
            self.forget(hours)
        answer = self.audit()
        self.assertEqual((answer["accounted_for"], answer["finding_count"]), (False, 1))
        (finding,) = answer["findings"]
        said = "2 slots from 2026-11-23 01:00:00 UTC to 2026-11-23 02:00:00 UTC have no row in the ledger."
        self.assertEqual(
            finding,
            {
                "kind": "missing",
                "job_id": self.job,
                "category": "c",
                "name": "j",
                "run_id": None,
                "slot": "2026-11-23T01:00:00",
                "last_slot": "2026-11-23T02:00:00",
                "slots": 2,
                "message": said,
            },
        )

    def test_part(self) -> None:
        """A time and a job narrow it down."""
        self.forget(30)
        self.write(add_job, self.write(add_category, "d"), "k", schedule=HOURLY, settled_until=NOW)
        for query, slots, findings in (
            ("?from=2026-11-23&job=c/j", 8, 0),
            ("?from=PT36H&job=c%2Fj", 36, 1),
            ("?to=2026-11-23T04:00:00Z&job=1", 24, 0),
            ("?from=2026-11-22T00:00:00&to=2026-11-23&job=2", 24, 1),
            ("?from=&to=&job=", 48, 1),
        ):
            answer = self.audit(query)
            self.assertEqual((answer["slots"], answer["finding_count"]), (slots, findings), query)

    def test_pruned(self) -> None:
        """Where the pruner has been, the audit begins."""
        row = {"name": "runs_pruned_until", "value": "2026-11-23T04:00:00Z"}
        self.write(lambda connection: connection.execute(insert(settings).values(row)))
        answer = self.audit()
        self.assertEqual((answer["from"], answer["pruned_until"]), ("2026-11-23T04:00:00",) * 2)
        self.assertEqual(answer["slots"], 4)

    def test_bad_input(self) -> None:
        """What cannot be understood is refused, with the place."""
        for category, name in (("a", "b/c"), ("a/b", "c")):
            self.write(add_job, self.write(add_category, category), name)
        for query, code, said in (
            ("from=yesterday", 400, "from: 'yesterday' is neither a full date"),
            ("to=P1X", 400, "to: 'P1X' is not a duration"),
            ("from=2027-01-01", 400, "from: there is nothing between this and the end, or now"),
            ("from=PT1H&to=PT2H", 400, "from: there is nothing"),
            ("job=nobody", 404, 'job: there is no job "nobody"'),
            ("job=a/b/c", 400, 'job: several jobs are called "a/b/c". Say its id: 2 or 3.'),
            ("job=4711", 404, 'job: there is no job "4711"'),
        ):
            answer = self.get(f"/api/audit?{query}")
            self.assertEqual(answer.code, code, query)
            self.assertIn(said, answer.json["error"]["message"])
            self.assertEqual(self.get(f"/audit?{query}").code, code)

    def test_bounds(self) -> None:
        """Of many findings the first are shown, and of too much to audit as much as is reasonable."""
        self.patch(auditing, "MOST_FINDINGS", 3)
        for hours in range(1, 20, 2):
            self.forget(hours)
        answer = self.audit()
        self.assertEqual(
            (len(answer["findings"]), answer["finding_count"], answer["complete"]), (3, 10, True)
        )
        self.assertIn("10 findings. The first 3 are below", self.get("/audit").page.text)
        self.patch(auditing, "MOST_STEPS", 1)
        answer = self.audit()
        self.assertEqual((answer["complete"], answer["accounted_for"]), (False, False))
        self.assertIn("Not all was looked at", self.get("/audit").page.text)


class PageTests(AuditCase):
    """`GET /audit`."""

    def test_in_order(self) -> None:
        """In words: all is accounted for, and what was looked at."""
        page = self.get("/audit").page
        self.assertIn("All is accounted for. Every slot has its row in the ledger", page.text)
        audited = "1 job, 24 slots (24 succeeded) from 2026-11-22 07:05:20 UTC until 2026-11-23 07:05:20 UTC"
        self.assertIn(f"Audited: {audited}.", page.text)
        self.assertEqual(page.all("table"), [])

    def test_findings(self) -> None:
        """Each finding is a row with links to its job and to its run."""
        self.forget(3)
        run = self.write(add_run, self.job, Status.SUCCEEDED, slot=SEVEN - 3.5 * HOUR)
        page = self.get("/audit").page
        self.assertIn("2 findings.", page.text)
        self.assertNotIn("accounted for", page.text)
        rows = page.texts("tr")[1:]
        self.assertEqual(rows[0], f"no slot j c 2026-11-23 03:30:00 UTC is no slot of this job. {run}")
        self.assertIn("missing j c The slot 2026-11-23 04:00:00 UTC has no row in the ledger.", rows[1])
        self.assertEqual((page.link("j"), page.link(run)), (f"/job/{self.job}", f"/run/{run}"))

    def test_form(self) -> None:
        """The form says what was asked for."""
        values = self.fields("/audit?from=2026-11-22T08:30&to=2026-11-23&job=c/j")
        self.assertEqual(values, {"from": "2026-11-22T08:30", "to": "2026-11-23T00:00", "job": "c/j"})
        self.assertEqual(self.fields("/audit"), {"from": "2026-11-22T07:05", "to": None, "job": ""})

    def fields(self, path: str) -> dict[str, str | None]:
        """What stands in the form."""
        inputs = [each.attributes for each in self.get(path).page.all("input")]
        return {each["name"]: each.get("value") for each in inputs}

    def test_in_the_navigation(self) -> None:
        """Every page leads there."""
        self.assertEqual(self.get("/").page.link("Audit"), "/audit")

    def test_removed_job(self) -> None:
        """What a removed job has left is audited as well."""
        self.forget(3)
        self.write(remove_job, self.job)
        self.assertIn("has no row in the ledger", self.get("/audit").page.text)

    def test_words(self) -> None:
        """There is a word for each kind of finding."""
        self.assertEqual(len({kind_word(kind) for kind in Kind}), len(Kind))


class TurnTests(AuditCase):
    """Others that ask while an audit is under way."""

    def test_turns(self) -> None:
        """An audit lets others have their turn after each read, and one audit waits for the other."""
        waiting: list[Deferred[None]] = []

        def in_thread(function: Any, *arguments: Any) -> Deferred[Any]:
            turn: Deferred[Any] = Deferred()
            waiting.append(turn)
            return turn.addCallback(lambda _: function(*arguments))

        database = Database(self.database.engine, in_thread, None, self.read_clock)
        auditor = auditing.Auditor(database)
        request = Request("GET", "/audit", {})
        audits = [Deferred.fromCoroutine(auditor.audit(request)) for _ in range(2)]
        longest = 0
        while waiting:
            longest = max(longest, len(waiting))
            waiting.pop(0).callback(None)
        self.assertEqual([self.successResultOf(each).complete for each in audits], [True, True])
        self.assertEqual(longest, 2)  # both ask for the time; from then on one reads at a time
