"""The daemons' own log: what is in it, and that nobody can forge a line of it."""

import signal
import sys
from datetime import datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.logger import Logger, LogLevel, LogPublisher
from twisted.python.failure import Failure
from twisted.python.logfile import LogFile
from twisted.trial.unittest import SynchronousTestCase

from cronq.commands import logs
from cronq.commands.logs import DAEMON_LOG, DaemonLog, make_observer

HOSTILE = (
    "a\nb",
    "a\r\n2026-01-01T00:00:00+0000 [cronq#info] forged",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b2J\x85\x0b\x0c\x1c\x1d\x1e",
    "\u2028\u2029\u202e\u2066",
    "NUL \0, half of a pair \ud83d",
)


class LogCase(SynchronousTestCase):
    """Logs to a terminal or to a file, and looks at what is there."""

    def setUp(self) -> None:
        self.terminal = BytesIO()
        self.patch(sys, "stdout", TextIOWrapper(self.terminal, "utf-8"))
        self.addCleanup(signal.signal, signal.SIGUSR1, signal.getsignal(signal.SIGUSR1))
        self.patch(DAEMON_LOG, "logfile", None)
        self.patch(DAEMON_LOG, "verbose", False)

    def logger(self, namespace: str = "cronq.services.runner") -> Logger:
        return Logger(namespace=namespace, observer=LogPublisher(make_observer()))

    def lines(self) -> list[str]:
        """What the terminal got, without the times."""
        lines = self.terminal.getvalue().decode().split("\n")
        self.assertEqual(lines.pop(), "")
        return [line.partition(" ")[2] for line in lines]


class LineTests(LogCase):
    def test_plain(self) -> None:
        """An event is a line with its time, its place and its level."""
        self.logger().info("job {job_id} run {run_id}: started", job_id=1, run_id="ab")
        self.assertRegex(self.terminal.getvalue().decode(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \[")
        self.assertEqual(self.lines(), ["[cronq.services.runner#info] job 1 run ab: started"])

    def test_times(self) -> None:
        """The time of a line is that of its event, to the second, in the time zone of this machine."""
        observer, log = make_observer(), self.logger()
        event = {"log_format": "x", "log_level": LogLevel.info, "log_namespace": log.namespace}
        for seconds in (0.0, 0.999, 1.0, 86_400.5, 0.5):
            observer({**event, "log_time": seconds})
        lines = self.terminal.getvalue().decode().splitlines()
        times = [datetime.strptime(line.partition(" ")[0], "%Y-%m-%dT%H:%M:%S%z") for line in lines]
        self.assertEqual([time.timestamp() for time in times], [0, 0, 1, 86_400, 0])

    def test_hostile_names(self) -> None:
        """Whatever a name holds, it stays within its line and is obeyed by no terminal."""
        log = self.logger()
        for name in HOSTILE:
            log.info("job {name}", name=name)
        lines = self.lines()
        self.assertEqual(len(lines), len(HOSTILE))
        self.assertTrue(all(line.startswith("[cronq.services.runner#info] job ") for line in lines))
        self.assertTrue(all(line.isprintable() for line in lines), lines)
        self.assertIn(r"a\nb", lines[0])
        self.assertIn(r"\x1b[2J", lines[2])

    def test_harmless_names(self) -> None:
        """Text in any language is shown as it is, and a tab too."""
        self.logger().info("job {name}", name="gr\u00f6\u00dfe\t\u5099\u4efd \U0001f600 100 %")
        self.assertEqual(
            self.lines(), ["[cronq.services.runner#info] job gr\u00f6\u00dfe\t\u5099\u4efd \U0001f600 100 %"]
        )

    def test_traceback(self) -> None:
        """A fault of ours has its traceback, in lines that begin with a tab whatever the fault says."""
        try:
            raise ValueError(HOSTILE[1] + HOSTILE[2])
        except ValueError:
            self.logger().failure("a pass failed", Failure())
        text = self.terminal.getvalue().decode()
        first, *rest = text.rstrip("\n").split("\n")
        self.assertTrue(first.endswith("#critical] a pass failed"), first)
        self.assertGreater(len(rest), 2)
        self.assertEqual([line for line in rest if not line.startswith("\t")], [])
        self.assertNotIn("\x1b", text)
        self.assertNotIn("\r", text)

    def test_unformattable(self) -> None:
        """An event with a mistake in it is one line, too."""
        self.logger().info("job {nothing}")
        (line,) = self.lines()
        self.assertIn("nothing", line)

    def test_other_events(self) -> None:
        """Events of Twisted may call what they name, have a system of their own, or say nothing at all."""
        log = self.logger()
        log.info("{name()}{half}", name=lambda: "called", half="")
        log.info("of a system", log_system="-")
        log.info("")
        log.info(None)
        self.assertEqual(self.lines(), ["[cronq.services.runner#info] called", "[-] of a system"])

    def test_terminal_with_few_characters(self) -> None:
        """What the terminal's encoding does not know is escaped, and the event is not lost."""
        self.patch(sys, "stdout", TextIOWrapper(self.terminal, "ascii"))
        self.logger().info("job {name}", name="gr\u00f6\u00dfe")
        self.assertEqual(self.lines(), [r"[cronq.services.runner#info] job gr\xf6\xdfe"])


class LevelTests(LogCase):
    def said(self) -> list[str]:
        for namespace in ("cronq.services.loop", "twisted.internet.protocol", "log_legacy"):
            log = self.logger(namespace)
            for level in (LogLevel.debug, LogLevel.info, LogLevel.warn):
                log.emit(level, "x")
        return [line.split("]")[0][1:] for line in self.lines()]

    def test_usual(self) -> None:
        """Usually there is no debugging, and of Twisted's own events only what is wrong."""
        self.assertEqual(
            self.said(),
            [
                "cronq.services.loop#info",
                "cronq.services.loop#warn",
                "twisted.internet.protocol#warn",
                "log_legacy#warn",
            ],
        )

    def test_verbose(self) -> None:
        """`--verbose` shows everything."""
        self.patch(DAEMON_LOG, "verbose", True)
        self.assertEqual(len(self.said()), 9)


class FileTests(LogCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.mktemp())
        self.patch(DAEMON_LOG, "logfile", str(self.path))
        self.patch(logs, "LogFile", self)

    def fromFullPath(self, path: str) -> LogFile:
        """A log file that is closed at the end of the test."""
        file: LogFile = LogFile.fromFullPath(path)
        self.addCleanup(file.close)
        return file

    def test_file(self) -> None:
        """With `--logfile` the events are in that file, behind what was there, in UTF-8."""
        self.path.write_text("before\n")
        self.logger().info("gr\u00f6\u00dfe {name}", name=HOSTILE[5])
        lines = self.path.read_text("utf-8").splitlines()
        self.assertEqual(lines[0], "before")
        self.assertTrue(lines[1].endswith(r"größe NUL \x00, half of a pair \ud83d"), lines)
        self.assertEqual(self.terminal.getvalue(), b"")

    def test_rotation(self) -> None:
        """SIGUSR1 begins a new file; the old one gets a number. (By default the signal kills.)"""
        calls: list[Any] = []
        self.patch(reactor, "callFromThread", lambda *call: calls.append(call))
        log = self.logger()
        log.info("before")
        signal.raise_signal(signal.SIGUSR1)
        ((rotate,),) = calls
        rotate()
        log.info("after")
        self.assertIn("before", Path(f"{self.path}.1").read_text())
        self.assertRegex(self.path.read_text(), "^[^\n]*after\n$")

    def test_cannot_be_written(self) -> None:
        """A log file that cannot be is one line."""
        self.patch(DAEMON_LOG, "logfile", "/no/such/folder/log")
        error = self.assertRaises(SystemExit, make_observer)
        self.assertEqual(
            error.code, "the log file /no/such/folder/log cannot be written: No such file or directory"
        )

    def test_file_that_was_begun_by_another(self) -> None:
        """A log file keeps the mode that it has."""
        self.path.touch()
        self.path.chmod(0o640)
        self.logger().info("x")
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o640)


class ChoiceTests(SynchronousTestCase):
    """What twistd was told decides where the log goes."""

    def choice(self, **twistd: Any) -> tuple[str | None, str | None]:
        """Which file is logged to, and which observer twistd is told to make."""
        log = DaemonLog()
        log.choose(twistd, verbose=False)
        return log.logfile, twistd.get("logger")

    def test_ours(self) -> None:
        """In the foreground to the terminal, else to twistd's usual file, or to the one that it was given."""
        ours = "cronq.commands.logs.make_observer"
        self.assertEqual(self.choice(nodaemon=1, logfile=None), ("-", ours))
        self.assertEqual(self.choice(debug=1), ("-", ours))
        self.assertEqual(self.choice(nodaemon=1, logfile="x.log"), ("x.log", ours))
        self.assertEqual(self.choice(nodaemon=1, logfile="-"), ("-", ours))
        self.assertEqual(self.choice(nodaemon=0), ("twistd.log", ours))
        self.assertEqual(self.choice(nodaemon=0, logfile="x.log"), ("x.log", ours))

    def test_not_ours(self) -> None:
        """An observer of the operator's, syslog, and what twistd refuses by itself are left to twistd."""
        self.assertEqual(self.choice(logger="their.observer"), (None, "their.observer"))
        self.assertEqual(self.choice(syslog=1), (None, None))
        self.assertEqual(self.choice(nodaemon=0, logfile="-"), (None, None))

    def test_without_twistd(self) -> None:
        """Options that are parsed without twistd change nothing."""
        log = DaemonLog()
        log.choose(None, verbose=True)
        self.assertEqual((log.logfile, log.verbose), (None, False))
