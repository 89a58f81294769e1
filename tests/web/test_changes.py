"""What people have changed: the page and the API."""

from typing import Any

from cronq.database.categories import replace_category
from cronq.database.jobs import request_run
from cronq.domain.access import SHELL, Actor, Role, Via
from cronq.domain.jobs import Category, JobDefinition
from tests.web.people import SAME_ORIGIN, PeopleCase
from tests.web.seed import EVERY_MINUTE, HOSTILE_NAMES, add_runner

MINUS = "\N{MINUS SIGN}"
HOSTILE = Actor("anna", Via.PROXY, "<script>alert(1)</script>")


class ChangesTests(PeopleCase):
    def replace(self, category: str = "mine", by: Actor = SHELL, **commands: str) -> None:
        """Have a category of jobs of these names and commands."""
        self.put(category, commands, by)

    def put(self, category: str, commands: dict[str, str], by: Actor = SHELL) -> None:
        jobs = tuple(JobDefinition(name, EVERY_MINUTE, command) for name, command in commands.items())
        self.write(replace_category, Category(category, jobs), by)

    def changes(self, query: str = "") -> list[dict[str, Any]]:
        answer = self.get(f"/api/changes{query}", headers=self.viewer)
        return list(answer.json["data"]["changes"])

    def setUp(self) -> None:
        super().setUp()
        self.viewer = self.session(Role.VIEWER)

    def test_who_and_what(self) -> None:
        """Each change says who, from where, what, before and after."""
        headers = self.session(Role.EDITOR) | SAME_ORIGIN
        document = {"jobs": [{"name": "mine job", "schedule": EVERY_MINUTE, "command": "false"}]}
        self.assertEqual(self.ask("PUT", "/api/category/mine", json=document, headers=headers).code, 200)
        (whole,) = self.changes("?action=category.replaced")
        (part,) = self.changes(f"?part_of={whole['id']}")
        self.assertEqual(
            {
                key: part[key]
                for key in ("who", "via", "address", "action", "subject", "job_id", "before", "after")
            },
            {
                "who": "eddy",
                "via": "session",
                "address": "127.0.0.1",
                "action": "job.changed",
                "subject": "mine/mine job",
                "job_id": 1,
                "before": {"command": "true"},
                "after": {"command": "false"},
            },
        )
        self.assertEqual(whole["after"], {"added": 0, "changed": 1, "removed": 0, "jobs": 1})

    def test_page(self) -> None:
        """The page tells it in words, with the difference."""
        self.replace(a="echo 1")
        self.replace(a="echo 2")
        page = self.get("/changes?action=job.changed", headers=self.viewer).page
        self.assertIn("changed the job mine/a", page.text)
        self.assertEqual((page.texts("del"), page.texts("ins")), ([f"{MINUS} echo 1"], ["+ echo 2"]))
        everything = self.get("/changes", headers=self.viewer).page
        self.assertNotIn("mine/a", everything.text)
        self.assertIn(
            "put in place the category mine Show which jobs 0 added, 1 changed, 0 rem", everything.text
        )

    def test_job_page(self) -> None:
        """The page of a job has its latest changes, and leads to the others."""
        self.put("mine", {"mine job": "echo 1"})
        self.write(request_run, 1, Actor("otto", Via.SESSION, "192.0.2.7"))
        page = self.get("/job/1", headers=self.viewer).page
        self.assertIn("otto asked for a run", page.text)
        self.assertEqual((page.texts("del"), page.texts("ins")), ([f"{MINUS} true"], ["+ echo 1"]))

    def test_drained(self) -> None:
        """Whoever has a runner drain is written down; told twice, it is told once."""
        self.write(add_runner, "w")
        for _ in range(2):
            self.post("/api/runners/w/drain", headers=self.session(Role.OPERATOR) | SAME_ORIGIN)
        (row,) = self.changes("?action=runner.drained")
        self.assertEqual((row["who"], row["subject"]), ("otto", "w"))
        self.assertIn("told to drain the runner w", self.get("/changes", headers=self.viewer).page.text)

    def test_narrowed(self) -> None:
        """By who did it, by what was done, by job: alone and together."""
        self.replace("third", a="x")
        for who in ("anna", "otto", "otto"):
            self.write(request_run, 1, Actor(who, Via.SESSION, None))
        self.assertEqual(len(self.changes("?who=otto")), 2)
        self.assertEqual(len(self.changes("?job=1&who=anna")), 1)
        self.assertEqual(len(self.changes("?who=anna&action=user.added")), 0)
        self.assertEqual(
            {each["subject"] for each in self.changes("?action=user.added")}, {*self.names.values()}
        )
        for query in ("?action=nonsense", "?job=x", "?before=-1", "?part_of=1.5", "?per_page=0"):
            self.assertEqual(self.get(f"/api/changes{query}", headers=self.viewer).code, 400, query)
        for query in ("?job=", "?who=&action=&job=", "?job=99999999999", f"?before={2**70}", "?part_of=0"):
            self.assertEqual(self.get(f"/changes{query}", headers=self.viewer).code, 200, query)

    def test_pages(self) -> None:
        """From page to page nothing is missing and nothing comes twice."""
        for number in range(130):
            self.replace(f"c{number}", a="x")
        seen, query = [], "?per_page=60"
        while True:
            data = self.get(f"/api/changes{query}", headers=self.viewer).json["data"]
            seen += [each["id"] for each in data["changes"]]
            if data["older"] is None:
                break
            query = f"?per_page=60&before={data['older']}"
        self.assertEqual(len(seen), 130 + len(self.names))
        self.assertEqual(seen, sorted(set(seen), reverse=True))
        page = self.get("/changes", headers=self.viewer).page
        (older,) = [each for each in page.all("a") if each.attributes.get("rel") == "next"]
        self.assertIn("c79", self.get(older.attributes["href"], headers=self.viewer).page.text)

    def test_hostile(self) -> None:
        """Whatever names, commands and addresses hold is shown as text."""
        for name in HOSTILE_NAMES:
            self.put(name[:200], {name: name}, HOSTILE)
        for path in ("/changes", "/changes?action=job.added", f"/changes?who={HOSTILE_NAMES[0]}"):
            self.assertEqual(self.get(path, headers=self.viewer).code, 200)
            self.assertTrue(self.get(path, headers=self.viewer).page)
