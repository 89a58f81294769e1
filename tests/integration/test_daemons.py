"""The daemons as an operator starts and stops them: in the foreground, in the background, and wrongly."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from tests.integration.installation import InstallationCase
from tests.servers import ROOT, keeper, sandbox
from tests.servers.server import base_environment, wait_until

SIGNS = {
    "cronq-injector": "connected to the broker",
    "cronq-runner": "connected to the broker",
    "cronq-results": "connected to the broker",
    "cronq-web": "listening on",
    "cronq": "listening on",
}
"""Each daemon, and what it says when it is ready."""

PROGRAMS = tuple(SIGNS)
SCRIPTS = PROGRAMS[:4]
TWISTD = str(Path(sys.executable).with_name("twistd"))


def console_script(program: str) -> list[str]:
    """The command that pip makes of an entry point."""
    module = program.removeprefix("cronq-")
    return [sys.executable, "-c", f"from cronq.commands.{module} import main; main()"]


def alive(pid: int) -> bool:
    """Whether there is such a process, other than a dead one that nobody has asked after."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class StartTests(InstallationCase):
    """The ways to start a daemon."""

    def setUp(self) -> None:
        super().setUp()
        self.elsewhere = sandbox().new_folder("elsewhere")
        self.addCleanup(keeper.kill_all, self.elsewhere)
        self.environment = base_environment(self.elsewhere) | {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": self.database_url,
            "RABBITMQ_URL": self.broker_url,
            "PORT": "0",
            "CRONQ_STATE_PATH": f"{self.folder}/state",
            "LOG_PATH": f"{self.folder}/log",
        }

    def call(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=self.elsewhere,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answers(self, *commands: list[str]) -> list[tuple[int, str, str]]:
        """Exit code, output and messages of commands that are all called at once."""
        processes = [self.call(*command) for command in commands]
        said = [process.communicate(timeout=120) for process in processes]
        codes = [process.returncode for process in processes]
        return [(code, err, out) for code, (out, err) in zip(codes, said, strict=True)]

    def background(self, program: str) -> list[str]:
        """The command that starts a daemon in the background."""
        return [TWISTD, f"--pidfile={program}.pid", f"--logfile={program}.log", program]

    def pid(self, program: str) -> int:
        return int((self.elsewhere / f"{program}.pid").read_text())

    def written(self, program: str) -> str:
        return (self.elsewhere / f"{program}.log").read_text()

    def test_wrong_usage(self) -> None:
        """In the foreground, in the background or as a console script: one line and exit code 2."""
        commands = [[*self.background(program), "--colour"] for program in PROGRAMS]
        commands += [[*console_script(program), "extra"] for program in SCRIPTS]
        for command, (code, messages, output) in zip(commands, self.answers(*commands), strict=True):
            self.assertEqual((code, output), (2, ""), command)
            self.assertEqual(messages.count("\n"), 1, messages)
            self.assertIn("--help)", messages)
        self.assertEqual(list(self.elsewhere.iterdir()), [])

    def test_background(self) -> None:
        """Each daemon goes into the background, over a stale pidfile too, and ends there by SIGTERM."""
        for program in PROGRAMS:
            (self.elsewhere / f"{program}.pid").write_text("999999999")
        started = self.answers(*(self.background(program) for program in PROGRAMS))
        self.assertEqual([code for code, _, _ in started], [0] * len(PROGRAMS), started)
        for program, sign in SIGNS.items():
            wait_until(lambda name=program, sign=sign: sign in self.written(name), lambda: None)  # type: ignore[misc]
        self.refuse_second()
        self.rotate("cronq-web")
        pids = [self.pid(program) for program in PROGRAMS]
        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not any(map(alive, pids)), lambda: None)
        self.assertEqual(list(self.elsewhere.glob("*.pid")), [])
        for program in PROGRAMS:
            self.assertIn("received SIGTERM", self.written(program))
            self.assertNotIn("Traceback", self.written(program))

    def refuse_second(self) -> None:
        """A daemon that runs is not started twice on one pidfile."""
        (answer,) = self.answers(self.background("cronq-web"))
        self.assertEqual(answer[0], 1)
        self.assertIn(f"Another twistd server is running, PID {self.pid('cronq-web')}", answer[1])

    def rotate(self, program: str) -> None:
        """SIGUSR1 begins a new log file, and the daemon lives on."""
        os.kill(self.pid(program), signal.SIGUSR1)
        old = self.elsewhere / f"{program}.log.1"
        wait_until(lambda: old.exists() and (self.elsewhere / f"{program}.log").exists(), lambda: None)
        self.assertIn("listening on", old.read_text())
        self.assertTrue(alive(self.pid(program)))

    def test_cannot_start(self) -> None:
        """A port that is taken, or a folder that cannot be used, is one line, exit code 1, and no pidfile."""
        (self.folder / "state").mkdir()
        (self.folder / "state" / "runners").write_text("a file")
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        port = taken.getsockname()[1]
        self.environment |= {"PORT": str(port)}
        commands = [self.background(program) for program in ("cronq-web", "cronq-runner")]
        commands += [console_script(program) for program in ("cronq-web", "cronq-runner")]
        listening, state = (
            f"tcp:{port}:interface=127.0.0.1: Couldn't listen on 127.0.0.1:{port}: ",
            f"{self.folder}/state/runners cannot be used: File exists",
        )
        answers = self.answers(*commands)
        self.assertEqual([code for code, _, _ in answers], [1] * 4, answers)
        logs = [self.written("cronq-web"), self.written("cronq-runner"), *(out for _, _, out in answers[2:])]
        for log, cause in zip(logs, (listening, state) * 2, strict=True):
            critical = [line for line in log.splitlines() if "#critical]" in line]
            self.assertEqual(len(critical), 1, log)
            self.assertIn("cannot start: ", critical[0])
            self.assertIn(cause, critical[0])
            self.assertNotIn("Traceback", log)
        self.assertEqual(list(self.elsewhere.glob("*.pid")), [])

    def test_console_scripts(self) -> None:
        """A console script stays in the foreground and logs to its output, until Ctrl-C."""
        processes = [self.call(*console_script(program)) for program in SCRIPTS]
        for process, program in zip(processes, SCRIPTS, strict=True):
            assert process.stdout is not None
            self.assertTrue(any(SIGNS[program] in line for line in process.stdout))
            process.send_signal(signal.SIGINT)
        for process in processes:
            output, messages = process.communicate(timeout=60)
            self.assertEqual((process.returncode, messages), (0, ""))
            self.assertIn("received SIGINT: stopping in good order", output)
        self.assertEqual(list(self.elsewhere.iterdir()), [])
