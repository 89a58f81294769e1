"""What a person sees of `cronq apply`."""

import json
from pathlib import Path
from typing import Any

from cronq.commands.cli.exits import Unreachable
from tests.commands.cli.case import CliTestCase, answer, job, refusal
from tests.domain.wrong_defaults import WITH_LINES, WRONG_DOCUMENT

QUARTERLY = "R/2026-01-01T00:00:00Z/PT15M"
PUT = "PUT api/category/example"
WARNING = "1: warning: jobs[0].shcedule: unknown key, did you mean schedule?"


def document(*jobs: dict[str, Any], **keys: Any) -> str:
    """A category document."""
    return json.dumps({"category": "example", "jobs": jobs} | keys)


def wanted(name: str, **keys: Any) -> dict[str, Any]:
    """A job of a document; as `job` gives it, unless `keys` say otherwise."""
    return {"name": name, "schedule": QUARTERLY, "command": "true"} | keys


class ApplyTests(CliTestCase):
    """A folder for documents, and a web with three jobs that takes everything."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()
        self.web.has_jobs(job(1), job(2), job(3), category="example")
        self.web.on(PUT, answer({"status": "success"}))

    def write(self, text: str, name: str = "jobs.json") -> str:
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def test_apply(self) -> None:
        """The document is sent as it is, and one line says what has changed."""
        text = document(wanted("job 1"), wanted("job 2", command="false"), wanted("new"))
        path = self.write(text)
        self.assertSays(["apply", path], 0, ["example: 1 added, 1 changed, 1 removed, 1 unchanged"], [])
        sent = self.web.requests[-1]
        self.assertEqual((sent.method, sent.body), ("PUT", text.encode()))
        self.assertEqual(sent.headers["Content-Type"], "application/json")

    def test_rules(self) -> None:
        """Rules are compared and shown as in a document; a server that knows none is not asked for them."""
        self.web.has_jobs(job(1, rules={"timeout": "PT1H"}), job(2, rules=None), category="example")
        path = self.write(document(wanted("job 1", success_codes=[0, 3]), wanted("job 2")))
        self.assertSays(
            ["apply", "--dry-run", path],
            0,
            [
                "example: 0 added, 1 changed, 0 removed, 1 unchanged (dry run, nothing is sent)",
                "  change job 1",
                '    rules: {"timeout": "PT1H"}',
                '        -> {"success_codes": [0, 3]}',
            ],
            [],
        )

    def test_dry_run(self) -> None:
        """Nothing is sent; each job that would not stay as it is is shown with what is new."""
        changed = wanted("job 2", command="false\nfalse", routing_key="slow")
        path = self.write(document(wanted("job 1"), changed, wanted("new")))
        self.assertSays(
            ["apply", "--dry-run", path],
            0,
            [
                "example: 1 added, 1 changed, 1 removed, 1 unchanged (dry run, nothing is sent)",
                "  add new",
                f"    schedule: {QUARTERLY}",
                "    command: true",
                "    routing key: default",
                "  change job 2",
                "    command: true",
                r"          -> false\nfalse",
                "    routing key: default",
                "              -> slow",
                "  remove job 3",
            ],
            [],
        )
        self.assertEqual(self.web.asked("PUT"), [])

    def test_jobs_of_0_27(self) -> None:
        """A job that 0.27 stored has no schedule text, so it is changed, as the server sees it."""
        self.web.has_jobs(job(1, schedule=None), category="example")
        _, out, _ = self.call("apply", "--dry-run", self.write(document(wanted("job 1"))))
        self.assertEqual(
            out[1:], ["  change job 1", "    schedule: (not stored)", f"           -> {QUARTERLY}"]
        )

    def test_standard_input(self) -> None:
        """A document may come through a pipe."""
        text = document(wanted("job 1"), wanted("job 2"), wanted("job 3"))
        said = self.call("apply", "-", stdin=text.encode())
        self.assertEqual(said, (0, ["example: 0 added, 0 changed, 0 removed, 3 unchanged"], []))
        expected = [
            "cronq: standard input can be read only once",
            "`cronq apply --help` says how it is used.",
        ]
        self.assertSays(["apply", "-", "-"], 2, [], expected)

    def test_category_name(self) -> None:
        """Whatever the category is called, it arrives as one segment of the address."""
        name = "../a b/ö?#%"
        quoted = "..%2Fa%20b%2F%C3%B6%3F%23%25"
        self.web.has_jobs(category="..%2Fa+b%2F%C3%B6%3F%23%25")
        self.web.on(f"PUT api/category/{quoted}", answer({"status": "success"}))
        path = self.write(document(category=name))
        self.assertSays(["apply", path], 0, [f"{name}: 0 added, 0 changed, 0 removed, 0 unchanged"], [])

    def test_faults(self) -> None:
        """All faults of all documents are said with file and line, and nothing is sent."""
        first = self.write(document(wanted("a"), wanted("a")), "1.json")
        second = self.write('{"category": "x",\n "jobs": [\n{"name": 1, "command": ""}]}', "2.json")
        good = self.write(document(), "3.json")
        self.assertSays(
            ["apply", first, second, good],
            7,
            [],
            [
                f'{first}:1: jobs[1].name: "a" is the name of jobs[0] too',
                f"{second}:3: jobs[0].schedule: missing",
                f"{second}:3: jobs[0].name: expected a text, found 1",
                "cronq: nothing was sent: faults in 2 of 3 documents",
                "Mend what is said above.",
            ],
        )
        self.assertEqual(self.web.requests, [])

    def test_faults_of_defaults(self) -> None:
        """Each wrong default is one line with its place, and nothing is sent."""
        path = self.write(WRONG_DOCUMENT)
        told = [f"{path}:{line}" for line in WITH_LINES]
        last = ["cronq: nothing was sent: faults in 1 of 1 documents", "Mend what is said above."]
        self.assertSays(["apply", path], 7, [], told + last)
        self.assertEqual(self.web.requests, [])

    def test_two_of_one_category(self) -> None:
        """Two documents about one category would undo each other, so neither is sent."""
        first, second = self.write(document(), "1.json"), self.write(document(), "2.json")
        self.assertSays(
            ["apply", first, second],
            7,
            [],
            [
                f"{second}: category: {first} is about example too",
                "cronq: nothing was sent: faults in 1 of 2 documents",
                "Mend what is said above.",
            ],
        )
        self.assertEqual(self.call("apply", first, first)[0], 7)

    def test_unreadable(self) -> None:
        """A file that is not there is said before anything is sent."""
        good, missing = self.write(document()), str(self.folder / "nothing")
        expected = [f"cronq: {missing}: No such file or directory", "Nothing was sent."]
        self.assertSays(["apply", good, missing], 1, [], expected)
        self.assertEqual(self.web.requests, [])

    def test_warnings(self) -> None:
        """What looks like a slip is said once, with its line when it is known here."""
        theirs = ["jobs[0].shcedule: unknown key, did you mean schedule?", "jobs[0].command: it is empty"]
        self.web.on(PUT, answer({"status": "success", "warnings": theirs}))
        path = self.write(document(wanted("job 1", shcedule="")))
        self.assertSays(
            ["apply", path],
            0,
            ["example: 0 added, 0 changed, 2 removed, 1 unchanged"],
            [f"{path}:{WARNING}", f"{path}: warning: jobs[0].command: it is empty"],
        )

    def test_refused_by_the_server(self) -> None:
        """What only the server finds wrong is said in the same way."""
        faults = [{"place": "jobs[0].command", "message": "too long for me", "line": 1}, {"message": "odd"}]
        self.web.on(PUT, refusal(400, "jobs[0].command: too long for me; odd", faults=faults))
        path = self.write(document(wanted("job 1")))
        self.assertSays(
            ["apply", path],
            7,
            [],
            [
                f"{path}:1: jobs[0].command: too long for me",
                f"{path}: odd",
                f"cronq: the server refuses {path}",
                "The server is of another version than this command; nothing in the category was changed.",
            ],
        )

    def test_interrupted_by_an_outage(self) -> None:
        """When the server goes away in between, it is seen what was done before."""
        first, second = self.write(document(), "1.json"), self.write(document(category="b"), "2.json")
        self.web.on(
            "GET api/jobs?per_page=100&sort=id.asc&category.name=b&page=0", Unreachable("it is gone", "Hm.")
        )
        out = ["example: 0 added, 0 changed, 3 removed, 0 unchanged"]
        self.assertSays(["apply", first, second], 6, out, ["cronq: it is gone", "Hm."])

    def test_json(self) -> None:
        """Each category is one line with an object."""
        path = self.write(
            document(wanted("job 1"), wanted("job 2", command="false", shcedule=1), wanted("n"))
        )
        expected = {
            "category": "example",
            "added": ["n"],
            "changed": {"job 2": {"command": {"old": "true", "new": "false"}}},
            "removed": ["job 3"],
            "unchanged": 1,
            "warnings": ["jobs[1].shcedule: unknown key, did you mean schedule?"],
        }
        for options, applied in (([], True), (["--dry-run"], False)):
            code, out, _ = self.call("apply", "--json", *options, path)
            self.assertEqual((code, list(map(json.loads, out))), (0, [expected | {"applied": applied}]))

    def test_hostile(self) -> None:
        """Names and commands cannot write on the terminal."""
        hostile = wanted("\x1b[2J\n", command="\x9b")
        _, out, _ = self.call("apply", "--dry-run", self.write(document(hostile)))
        self.assertEqual((out[1], out[3]), (r"  add \x1b[2J\n", r"    command: \x9b"))
