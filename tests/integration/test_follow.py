"""Following runs on the command line, against real daemons."""

import json
import signal
import subprocess
import sys
from threading import Thread
from typing import IO

from tests.integration.command_line import CLI, CommandLineCase
from tests.integration.installation import InstallationCase, job
from tests.integration.looking_on import WAIT
from tests.servers import free_port

TALKS = f"echo one; {WAIT.format('go')}; echo two >&2; {WAIT.format('on')}; echo three; exit 3"


class Terminal:
    """A command that is being typed, and what it has said so far."""

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLI, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out: list[str] = []
        self.err: list[str] = []
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._threads = [
            Thread(target=self._read, args=pair)
            for pair in ((self.process.stdout, self.out), (self.process.stderr, self.err))
        ]
        for each in self._threads:
            each.start()

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        with stream:
            for line in stream:
                lines.append(line.rstrip("\n"))  # noqa: PERF401 (others read it meanwhile)

    def end(self) -> int:
        """Wait for its end; gives its exit code."""
        code = self.process.wait(60)
        for each in self._threads:
            each.join()
        return code


class FollowTests(CommandLineCase, InstallationCase):
    """With RabbitMQ and MariaDB, and a web that goes away."""

    def setUp(self) -> None:
        super().setUp()
        *_, self.runner, self.web = self.start_all(PORT=str(free_port()))
        self.put(job("Talks", TALKS))

    def type(self, *arguments: str) -> Terminal:
        """Begin a command."""
        terminal = Terminal(arguments, self.cli_environment())
        self.addCleanup(terminal.process.kill)
        return terminal

    def let(self, name: str) -> None:
        """Let the command go on."""
        (self.evidence / name).touch()

    def test_run(self) -> None:
        """Output is seen before the run has ended; the exit code is that of a run that failed."""
        followed = self.type("run", "example/Talks", "--follow")
        self.until(lambda: followed.out == ["one"])
        self.assertEqual(self.statuses(), ["running"])
        waited = self.type("logs", "example/Talks", "-f")
        self.until(lambda: waited.out == ["one"])
        self.let("go")
        self.until(lambda: followed.err[-1:] == ["two"])
        self.assertEqual(self.cli("logs", "example/Talks"), "one")
        self.let("on")
        self.assertEqual((followed.end(), waited.end()), (1, 0))
        self.assertEqual((followed.out, waited.out), (["one", "three"], ["one", "three"]))
        self.assertRegex(followed.err[-1], r"^run [0-9a-f]{32}: failed \(exit 3, took .*, on .*\)$")
        self.assertEqual(self.cli("logs", "example/Talks"), "one\nthree")

    def test_wait(self) -> None:
        """A run that succeeded is 0, and its result is what is printed."""
        self.put(job("Works", "echo done"))
        waited = self.type("run", "example/Works", "--wait", "--json")
        self.assertEqual(waited.end(), 0, waited.err)
        self.assertEqual(json.loads(waited.out[0])["status"], "succeeded")

    def test_interrupted(self) -> None:
        """Ctrl-C leaves the run alone, and says so."""
        for arguments, said in (
            (("run", "example/Talks", "--follow"), "It is not called off; `cronq show 1` shows"),
            (("logs", "example/Talks", "-f"), "is left as it is."),
        ):
            followed = self.type(*arguments)
            self.until(lambda followed=followed: followed.out == ["one"])  # type: ignore[misc]
            followed.process.send_signal(signal.SIGINT)
            self.assertEqual(followed.end(), 130)
            self.assertIn(said, "\n".join(followed.err))
            self.assertEqual(followed.err[-1], "cronq: stopped")
            self.assertNotIn("Traceback", "\n".join(followed.err))
        self.assertEqual(self.statuses(), ["running"])
        self.let("go")
        self.let("on")
        self.until_all(1, "failed")

    def test_web_killed(self) -> None:
        """A web that is killed in the middle is one line; when it is back, nothing is lost or there twice."""
        followed = self.type("run", "example/Talks", "--follow")
        self.until(lambda: followed.out == ["one"])
        self.web.kill()
        self.until(lambda: "trying again" in followed.err[-1])
        self.assertEqual(sum("trying again" in each for each in followed.err), 1)
        self.let("go")
        self.web.start()
        self.until(lambda: followed.err[-1:] == ["two"])
        self.let("on")
        self.assertEqual((followed.end(), followed.out), (1, ["one", "three"]))

    def test_runner_killed(self) -> None:
        """A runner that is killed in the middle: the run is lost, which is said with the reason."""
        followed = self.type("run", "example/Talks", "--follow")
        self.until(lambda: followed.out == ["one"])
        self.runner.kill()
        self.runner.start()
        self.assertEqual(followed.end(), 1)
        self.assertIn(": lost (", followed.err[-1])
