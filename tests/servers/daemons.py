"""Real daemons as processes of their own, with what they say, to be waited for, ended and killed."""

import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import keeper
from tests.servers.sandbox import ROOT, sandbox
from tests.servers.server import base_environment

PATIENCE = 60.0
"""Seconds to wait for what takes a moment on an idle machine."""


class Daemon:
    """`twistd -n NAME options` in a folder and with an environment of its own.

    It runs the code of this checkout, or what is installed beside another `python`. Whatever it started and
    left behind ends with `discard`, or with the tests at the latest.
    """

    def __init__(
        self,
        name: str,
        *options: str,
        environment: Mapping[str, str] | None = None,
        python: Path | None = None,
    ) -> None:
        self.folder = sandbox().new_folder(name)
        self._python = python or Path(sys.executable)
        self._arguments = [name, *options]
        code = {} if python else {"PYTHONPATH": str(ROOT)}
        self._environment = base_environment(self.folder) | code | dict(environment or {})
        self._lines: list[str] = []
        self._changed = threading.Condition()
        self._silent = True
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, or start it again with the same options; returns at once."""
        self._process = subprocess.Popen(
            [self._python, self._python.with_name("twistd"), "--nodaemon", "--pidfile=", *self._arguments],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._silent = False
        threading.Thread(target=self._read, args=(self._process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                with self._changed:
                    self._lines.append(line.rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._silent = process is self._process
            self._changed.notify_all()

    @property
    def pid(self) -> int:
        """The process id of the daemon itself."""
        return self._started().pid

    @property
    def running(self) -> bool:
        """Whether the daemon is there."""
        return self._started().poll() is None

    @property
    def lines(self) -> list[str]:
        """All that it has written so far, over all its starts."""
        with self._changed:
            return list(self._lines)

    @property
    def output(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    def wait_for_line(self, pattern: str, timeout: float = PATIENCE, after: int = 0) -> re.Match[str]:
        """The first match of a regular expression in a line, from the line numbered `after` (from 0) on.

        Raises AssertionError with all output when the daemon ends without it, or `timeout` seconds pass.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._silent or self._find(pattern, after), timeout)
            match = self._find(pattern, after)
        if match is None:
            raise self._failed(f"wrote no line like {pattern!r}")
        return match

    def _find(self, pattern: str, after: int) -> re.Match[str] | None:
        return next((match for line in self._lines[after:] if (match := re.search(pattern, line))), None)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the daemon alone."""
        self._started().send_signal(number)

    def terminate(self, timeout: float = PATIENCE) -> int:
        """SIGTERM, and wait; answers the exit code. Raises AssertionError when it does not end.

        After an orderly end twistd ends itself by the signal that it was sent: the code is -15.
        """
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self) -> None:
        """SIGKILL to the daemon alone, as the kernel does when memory ends: its commands go on."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end; answers the exit code, negative for a signal. AssertionError when time is up."""
        try:
            code = self._started().wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise self._failed("does not end") from error
        with self._changed:
            # Its last words; not for ever, because a command that it left may hold the pipe open.
            self._changed.wait_for(lambda: self._silent, 5)
        return code

    def processes(self) -> list[int]:
        """The process ids of the daemon and of all that it started, daemonized or not."""
        return keeper.processes_of(self.folder)

    def discard(self) -> None:
        """Kill the daemon and all that it started, and remove its files."""
        keeper.kill_all(self.folder)
        if self._process is not None:
            self.wait()
        shutil.rmtree(self.folder)

    def _started(self) -> subprocess.Popen[str]:
        assert self._process is not None, "never started"
        return self._process

    def _failed(self, what: str) -> AssertionError:
        return AssertionError(f"{self._arguments} {what}; it wrote:\n{self.output}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server said to one request."""

    status: int
    headers: Mapping[str, str]
    body: str


def http_get(url: str, timeout: float = PATIENCE) -> Answer:
    """Fetch a page, whatever its status, without a proxy. Raises OSError when nobody answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        response = opener.open(url, timeout=timeout)
    except urllib.error.HTTPError as refusal:
        response = refusal
    with response:
        return Answer(response.status, dict(response.headers), response.read().decode(errors="replace"))
