"""The command as a whole: help, usage, and how it behaves as a process."""

import os
import re
import signal
import subprocess
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import cronq
from cronq.commands.cli import main
from cronq.commands.cli.exits import MEANINGS, Exit
from tests.commands.cli.case import CliTestCase, job

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "command-line.md"
COMMANDS = (
    "apply", "audit", "backfill", "export", "jobs", "kill", "logs", "pause", "resume", "run", "runners",
    "schedule", "show", "skip", "status", "tokens", "users",
)  # fmt: skip
MAIN = "import sys; from cronq.commands.cli import main; sys.exit(main())"
NOWHERE = "http://127.0.0.1:9/"


class HelpTests(CliTestCase):
    """What it says of itself."""

    def test_version(self) -> None:
        """The version is that of cronq."""
        self.assertSays(["--version"], 0, [f"cronq {cronq.__version__}"], [])

    def test_help(self) -> None:
        """The help has every command and every exit code."""
        for option in ("--help", "-h"):
            code, out, err = self.call(option)
            self.assertEqual((code, err), (0, []))
            self.assertEqual(re.findall(r"^  ([a-z]+)  ", "\n".join(out), re.MULTILINE), list(COMMANDS))
            codes = re.findall(r"^ +(\d+)  ", "\n".join(out), re.MULTILINE)
            self.assertEqual(codes, [str(each.value) for each in Exit])

    def test_help_of_commands(self) -> None:
        """Each command has examples, and they are of that command."""
        for command in COMMANDS:
            for option in ("--help", "-h"):
                code, out, err = self.call(command, option)
                self.assertEqual((code, err), (0, []))
                examples = out[out.index("  Examples:") + 1 :]
                self.assertGreater(len(examples), 1)
                self.assertTrue(all(f"cronq {command}" in line for line in examples), examples)

    def test_nothing(self) -> None:
        """Called with nothing, it says what there is; that is no success."""
        code, out, err = self.call()
        self.assertEqual((code, out), (2, []))
        self.assertEqual(err[0], "Usage: cronq [OPTIONS] COMMAND [ARGS]...")

    def test_misused(self) -> None:
        """Wrong usage is one line that says what, and one that says where help is."""
        top, jobs = "`cronq --help` says how it is used.", "`cronq jobs --help` says how it is used."
        show, apply = jobs.replace("jobs", "show"), jobs.replace("jobs", "apply")
        for arguments, message, hint in (
            (["jobz"], "No such command 'jobz'. Did you mean 'jobs'?", top),
            (["--quiet"], "No such option '--quiet'.", top),
            (["jobs", "--jsn"], "No such option '--jsn'. Did you mean '--json'?", jobs),
            (["jobs", "1"], "Got unexpected extra argument (1)", jobs),
            (["jobs", "--url"], "Option '--url' requires an argument.", top),
            (["show"], "Missing argument 'JOB'.", show),
            (["apply"], "Missing argument 'FILE...'.", apply),
            (["\x1b[2J"], r"No such command '\x1b[2J'.", top),
        ):
            self.assertSays(arguments, 2, [], [f"cronq: {message}", hint])

    def test_guide(self) -> None:
        """The guide has the same exit codes, and every command."""
        text = GUIDE.read_text()
        codes = re.findall(r"^\| (\d+) \| (.*) \|$", text, re.MULTILINE)
        self.assertEqual(codes, [(str(code.value), meaning) for code, meaning in MEANINGS.items()])
        self.assertEqual(re.findall(r"^### `cronq ([a-z]+)", text, re.MULTILINE), list(COMMANDS))


class ProcessTests(SynchronousTestCase):
    """The command, as a process in another folder."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()

    def start(
        self, *arguments: str, code: str = MAIN, stdout: int = subprocess.PIPE
    ) -> "subprocess.Popen[bytes]":
        root = str(Path(cronq.__file__).parents[1])
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": root, "CRONQ_URL": NOWHERE},
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
        )

    def test_light(self) -> None:
        """It starts fast: it needs neither Twisted nor a database."""
        heavy = "{'twisted', 'sqlalchemy', 'pika', 'jsonschema', 'klein', 'jinja2'} & set(sys.modules)"
        done = self.start(code=f"import sys, cronq.commands.cli; print({heavy})").communicate()
        self.assertEqual(done, (b"set()\n", b""))

    def test_closed_pipe(self) -> None:
        """It ends in silence when nobody reads on, as in `cronq --help | head -1`."""
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            process = self.start("--help", stdout=pipe.fileno())
        self.assertEqual((process.communicate()[1], process.returncode), (b"", 1))

    def test_full_disk(self) -> None:
        """Output that cannot be written is one line."""
        with Path("/dev/full").open("wb") as full:
            process = self.start("--version", stdout=full.fileno())
        expected = b"cronq: cannot write what was asked for: No space left on device\n"
        self.assertEqual((process.communicate()[1], process.returncode), (expected, 1))

    def test_interrupted(self) -> None:
        """Ctrl-C ends it with 130 and without a traceback."""
        process = self.start("apply", "-")
        assert process.stdin is not None
        process.stdin.write(b" " * 1_000_000)  # more than a pipe holds, so that the command is reading now
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        self.assertEqual((err.split(), process.returncode), ([b"cronq:", b"stopped"], 130))

    def test_nobody_there(self) -> None:
        """Without a server it says how to start one."""
        process = self.start("jobs")
        out, err = process.communicate()
        self.assertEqual((out, process.returncode), (b"", 6))
        hint = "Start one with `twistd -n cronq`, or say where one is with --url or CRONQ_URL."
        self.assertEqual(
            err.decode().splitlines(), [f"cronq: cannot reach {NOWHERE}: Connection refused", hint]
        )


class OddTerminalTests(CliTestCase):
    """Terminals that do not know every character."""

    def test_encoding(self) -> None:
        """What the terminal's encoding does not know is escaped."""
        self.web.has_jobs(job(1, name="größe 備份"))
        written = BytesIO()
        self.patch(sys, "stdout", TextIOWrapper(written, "latin-1"))
        self.assertEqual(main(["jobs"], self.outside()), 0)
        self.assertIn(r"größe \u5099\u4efd", written.getvalue().decode("latin-1"))
