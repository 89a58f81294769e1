"""What the writer of a category document sees of `cronq-validator`, of `validate` and of the examples."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from io import StringIO
from pathlib import Path

from jsonschema import ValidationError
from twisted.trial.unittest import SynchronousTestCase

import cronq
from cronq.commands.validator import main
from cronq.domain.documents import read_document
from cronq.domain.errors import BadDocument
from cronq.domain.schedules import parse_schedule, step_after
from cronq.validator import cronq_schema, validate
from tests.domain.wrong_defaults import WITH_LINES, WRONG_DOCUMENT

HERE = Path(__file__).resolve().parents[1]
GUIDE = HERE / "docs" / "category-document.md"
NOW = datetime(2026, 9, 1)
GOOD = """{"category": "example",
 "jobs": [{"name": "Test Job", "schedule": "R/2013-05-29T00:00:00/PT1M", "command": "sleep 10"}]}
"""
BAD = """{"category": "größe\\u0000",
 "jobs": [
  {"name": "a", "shedule": "R/2013-05-29T00:00:00/PT1M", "command": "b"},
  {"name": "b", "schedule": "R/2013-05-29T00:00:00/PT1M",
   "command": 7}
]}
"""
BAD_LINES = [
    r'1: category: "\u0000" at character 6 cannot be stored',
    "3: jobs[0].schedule: missing, did you write it as shedule?",
    "5: jobs[1].command: expected a text, found 7",
]
WARNING = "3: warning: jobs[0].shedule: unknown key, did you mean schedule?"


class ValidatorTestCase(SynchronousTestCase):
    """Has a folder for documents."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()

    def write(self, text: str | bytes, name: str = "cronq.config") -> Path:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


class ValidateTests(ValidatorTestCase):
    """The Python function."""

    def test_good(self) -> None:
        """A good document gives True, whether its path is a text or an object."""
        path = self.write(GOOD)
        self.assertIs(validate(path), True)
        self.assertIs(validate(str(path)), True)

    def test_bad(self) -> None:
        """A bad one raises the error of jsonschema, with all faults in it."""
        error = self.assertRaises(ValidationError, validate, self.write(BAD))
        self.assertEqual(error.message, "; ".join(line.split(" ", 1)[1] for line in BAD_LINES))
        self.assertEqual(str(error), error.message)
        self.assertEqual(
            [list(fault.absolute_path) for fault in error.context or ()],
            [["category"], ["jobs", 0, "schedule"], ["jobs", 1, "command"]],
        )
        self.assertEqual(list(error.path), [])
        self.assertIsInstance(error.cause, BadDocument)

    def test_path(self) -> None:
        """The path of the error leads to what holds all faults, so to the only one."""
        document = json.loads(GOOD)
        document["jobs"][0] |= {"name": ""}
        error = self.assertRaises(ValidationError, validate, self.write(json.dumps(document)))
        self.assertEqual(list(error.path), ["jobs", 0, "name"])
        document["jobs"][0] |= {"command": None}
        error = self.assertRaises(ValidationError, validate, self.write(json.dumps(document)))
        self.assertEqual(list(error.path), ["jobs", 0])
        self.assertEqual([list(fault.path) for fault in error.context or ()], [["name"], ["command"]])

    def test_not_json(self) -> None:
        """A text that is no JSON is an error of the same kind."""
        error = self.assertRaises(ValidationError, validate, self.write("{"))
        self.assertIn("not JSON at line 1, column 2", error.message)

    def test_missing_file(self) -> None:
        """A file that is not there is an error of the system."""
        self.assertRaises(FileNotFoundError, validate, self.folder / "nothing")

    def test_schema(self) -> None:
        """The schema is the one that the documents follow."""
        self.assertEqual(cronq_schema()["required"], ["category", "jobs"])


class MainTests(ValidatorTestCase):
    """The command, called in this process."""

    def assertSays(self, arguments: list[str], code: int, out: list[str], err: list[str]) -> None:
        stdout, stderr = StringIO(), StringIO()
        self.patch(sys, "stdout", stdout)
        self.patch(sys, "stderr", stderr)
        try:
            result = main(arguments)
        except SystemExit as stop:
            result = int(stop.code or 0)
        told = (result, stdout.getvalue().splitlines(), stderr.getvalue().splitlines())
        self.assertEqual(told, (code, out, err))

    def test_good(self) -> None:
        """A good document is passed over in silence."""
        self.assertSays(["--config", str(self.write(GOOD))], 0, [], [])

    def test_bad(self) -> None:
        """Each fault has one line with file, line and place; remarks are apart from them."""
        path = self.write(BAD)
        expected = [f"{path}:{line}" for line in BAD_LINES]
        self.assertSays([f"--config={path}"], 1, expected, [f"{path}:{WARNING}"])

    def test_defaults(self) -> None:
        """So it is for each key of the defaults, whatever is wrong with it."""
        path = self.write(WRONG_DOCUMENT)
        self.assertSays(["--config", str(path)], 1, [f"{path}:{line}" for line in WITH_LINES], [])

    def test_remarks(self) -> None:
        """A document that only looks wrong is accepted."""
        path = self.write(GOOD.replace('"jobs"', '"note": 1, "jobs"'))
        self.assertSays(["--config", str(path)], 0, [], [f"{path}:2: warning: note: unknown key"])

    def test_unreadable(self) -> None:
        """A file that cannot be read is one line."""
        nothing, folder = str(self.folder / "nothing"), str(self.folder)
        loop = self.folder / "loop"
        loop.symlink_to(loop)
        for path, reason in (
            (nothing, "No such file or directory"),
            (folder, "Is a directory"),
            (str(loop), "Too many levels of symbolic links"),
        ):
            self.assertSays(["--config", path], 1, [], [f"cronq-validator: {path}: {reason}"])

    def test_hostile(self) -> None:
        """Neither ten megabytes nor a million brackets need more than a line."""
        at = f"{self.folder / 'cronq.config'}"
        for text, line in (
            ("", ":1: not JSON: it is empty"),
            (b"\xff\xfe{\x00}\x00", ":1: not UTF-8: byte 0xff in line 1"),
            ("[" * 1_000_000, ": not a category document: it is nested too deeply"),
            (
                GOOD.replace("sleep 10", "x" * 10_000_000),
                ":2: jobs[0].command: has 10000000 bytes of UTF-8, at most 65535 are allowed",
            ),
        ):
            self.assertSays(["--config", str(self.write(text))], 1, [at + line], [])

    def test_misused(self) -> None:
        """A wrong option is one line that says so."""
        more = "(--help lists the options)"
        for arguments, reason in (
            (["--colour"], "unrecognized arguments: --colour"),
            (["--conf", "x"], "unrecognized arguments: --conf x"),
            (["cronq.config"], "unrecognized arguments: cronq.config"),
            (["--config"], "argument --config: expected one argument"),
        ):
            self.assertSays(arguments, 2, [], [f"cronq-validator: {reason} {more}"])

    def test_version(self) -> None:
        """The version is that of cronq."""
        self.assertSays(["--version"], 0, [f"cronq-validator {cronq.__version__}"], [])


class CommandTests(ValidatorTestCase):
    """The command, as a process in another folder."""

    def run_python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", *arguments],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(Path(cronq.__file__).parents[1])} | environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    def run_validator(self, *arguments: str, **environment: str) -> tuple[int, list[str], list[str]]:
        done = self.run_python("-m", "cronq.commands.validator", *arguments, **environment)
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()

    def test_default_file(self) -> None:
        """Without an option it reads cronq.config in the current folder."""
        missing = ["cronq-validator: cronq.config: No such file or directory"]
        self.assertEqual(self.run_validator(), (1, [], missing))
        self.write(GOOD)
        self.assertEqual(self.run_validator(), (0, [], []))
        self.write(BAD)
        expected = (1, [f"cronq.config:{line}" for line in BAD_LINES], [f"cronq.config:{WARNING}"])
        self.assertEqual(self.run_validator(), expected)

    def test_poor_terminal(self) -> None:
        """What the terminal cannot show is escaped, in names of files as well."""
        path = os.fsdecode(b"gr\xc3\xb6\xc3\x9fe\xff.json")
        self.write('{"jobs": [], "category": "a", "größe": 1}', path)
        said = self.run_validator("--config", path, PYTHONIOENCODING="ascii")
        warning = r"gr\xf6\xdfe\udcff.json:1: warning: gr\xf6\xdfe: unknown key"
        self.assertEqual(said, (0, [], [warning]))

    def test_closed_pipe(self) -> None:
        """It ends in silence when nobody reads on, as in `cronq-validator | head -1`."""
        self.write(BAD)
        reading, writing = os.pipe()
        os.close(reading)
        command = [sys.executable, "-m", "cronq.commands.validator"]
        environment = os.environ | {"PYTHONPATH": str(Path(cronq.__file__).parents[1])}
        with os.fdopen(writing, "wb") as pipe:
            done = subprocess.run(
                command, cwd=self.folder, env=environment, stdout=pipe, stderr=subprocess.PIPE, check=False
            )
        self.assertEqual((done.returncode, done.stderr), (1, b""))

    def test_light(self) -> None:
        """It needs neither Twisted nor a database, and jsonschema only to raise its error."""
        heavy = "{'twisted', 'sqlalchemy', 'pika', 'jsonschema'} & set(sys.modules)"
        for module in ("cronq.validator", "cronq.commands.validator"):
            done = self.run_python("-c", f"import sys, {module}; print({heavy})")
            self.assertEqual((done.stdout, done.stderr), ("set()\n", ""))


class ExamplesTests(SynchronousTestCase):
    """The documents that cronq comes with."""

    def test_example(self) -> None:
        """The example is a good document: any runner takes its jobs, and most run within a minute."""
        document = read_document((HERE / "examples" / "example.json").read_bytes())
        self.assertEqual(document.category.name, "example")
        self.assertEqual(document.warnings, ())
        self.assertEqual({job.routing_key for job in document.category.jobs}, {"default"})
        soon = [
            job
            for job in document.category.jobs
            if step_after(parse_schedule(job.schedule), NOW).total_seconds() <= 60
        ]
        self.assertGreaterEqual(len(soon), 5)

    def test_documents_in_guide(self) -> None:
        """Every document in the guide is a good one."""
        blocks = re.findall(r"^```json\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
        self.assertGreater(len(blocks), 1)
        for block in blocks:
            self.assertEqual(read_document(block).warnings, ())

    def test_guide_of_schedules(self) -> None:
        """So are the document and the expressions in the guide of schedules, and the columns of its table."""
        text = (GUIDE.parent / "schedules.md").read_text()
        for block in re.findall(r"^```json\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            self.assertEqual(read_document(block).warnings, ())
        expressions = re.findall(r"^\| `((?:\S+ ){4}\S+)` \|", text, re.MULTILINE)
        self.assertGreater(len(expressions), 10)
        for expression in expressions:
            parse_schedule(expression)

    def test_schedules_in_guide(self) -> None:
        """Every schedule in the guide's table is understood."""
        schedules = re.findall(r"^\| `(R[^`]+)` \|", GUIDE.read_text(), re.MULTILINE)
        self.assertGreater(len(schedules), 8)
        for schedule in schedules:
            parse_schedule(schedule)
