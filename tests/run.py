"""Runs the checks and the tests; the last line says how many passed and how many failed.

    python -m tests.run                 style, types and all tests
    python -m tests.run --lint          style and types
    python -m tests.run tests.domain    these tests

Nothing that the tests started is running afterwards, and no file of theirs is left.
"""

import math
import os
import pkgutil
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from os import environ
from pathlib import Path

from tests.servers import keeper

_CHECKS = (
    ("ruff", "check", "--quiet", "."),
    ("ruff", "format", "--check", "--quiet", "."),
    ("mypy",),
)

_PATIENCE = 300.0
"""Seconds that one test may take; none takes a quarter of it."""

_ON_REAL_SERVERS = "tests.integration"

_NAME = re.compile(r"tests(?:\.\w+)+\.[A-Z]\w*\.test_\w+$")
"""How trial names, at the end, each test that did not pass, below what happened."""

_SUMMARY = re.compile(r"(?:PASSED|FAILED)(?: \((?P<counts>.*)\))?$")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many tests or checks passed, and how many did not."""

    passed: int
    failed: int

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(self.passed + other.passed, self.failed + other.failed)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def outcome_of(summary: str | None) -> Outcome:
    """What trial's last line says. A skipped test has not passed, and without a summary trial has failed."""
    match = _SUMMARY.match(summary or "")
    if match is None:
        return Outcome(0, 1)
    counts = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", match["counts"] or "")}
    passed = counts.pop("successes", 0) + counts.pop("expectedFailures", 0)
    return Outcome(passed, sum(counts.values()))


def run_checks() -> Outcome:
    """Look at the style and the types of all files; each check counts as one."""
    total = Outcome(0, 0)
    for check in _CHECKS:
        print(*check, "…", flush=True)
        passed = subprocess.run([sys.executable, "-m", *check], check=False).returncode == 0
        total += Outcome(int(passed), int(not passed))
    return total


class Trial:
    """One process of trial with all warnings as errors: what it has written, and how it ended."""

    def __init__(self, names: list[str], folder: Path, number: int) -> None:
        python = [sys.executable, "-u", "-X", "faulthandler", "-W", "error"]
        command = [*python, "-m", "twisted.trial", f"--temp-directory={folder}/trial-{number}", *names]
        # Hypothesis then tries the same examples each time, and takes as long as it has to.
        environment = environ | {"CI": "true", "TMPDIR": str(folder)} | keeper.mark(folder)
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self.process.stdout is not None
        self.pipe = self.process.stdout
        self.running = True
        self._written: list[bytes] = []
        self._shown = 0
        self._heard = time.monotonic()

    def read(self) -> None:
        """Take what it has just written, or its end."""
        self._heard = time.monotonic()
        chunk = os.read(self.pipe.fileno(), 65536)
        self._written.append(chunk)
        self.running = bool(chunk)

    def show(self) -> None:
        """Print what it has written since the last time."""
        sys.stdout.buffer.write(b"".join(self._written[self._shown :]))
        sys.stdout.flush()
        self._shown = len(self._written)

    def end_silence(self) -> None:
        """One that has been silent for too long is ended, and its Python says where it stood."""
        if self.running and time.monotonic() - self._heard > _PATIENCE:
            self._heard = math.inf
            self.process.send_signal(signal.SIGABRT)

    def lines(self) -> list[str]:
        """All that it has written."""
        return b"".join(self._written).decode(errors="replace").splitlines()

    def outcome(self) -> Outcome:
        """How many tests passed and failed, once it has ended."""
        lines = self.lines()
        outcome = outcome_of(next((line for line in reversed(lines) if _SUMMARY.match(line)), None))
        return outcome if self.process.wait() == 0 or outcome.failed else outcome + Outcome(0, 1)


def run_trials(parts: list[list[str]], folder: Path) -> Outcome:
    """Run each part of the tests in a process of its own, at the same time; show one after the other."""
    trials = [Trial(names, folder, number) for number, names in enumerate(parts)]
    with selectors.DefaultSelector() as selector:
        for trial in trials:
            selector.register(trial.pipe, selectors.EVENT_READ, trial)
        waiting = list(trials)
        while waiting:
            for key, _ in selector.select(timeout=10.0):
                key.data.read()
                if not key.data.running:
                    selector.unregister(key.fileobj)
            for trial in trials:
                trial.end_silence()
            waiting[0].show()
            while waiting and not waiting[0].running:
                waiting.pop(0).show()
    failed = dict.fromkeys(line for trial in trials for line in trial.lines() if _NAME.match(line))
    for name in failed:
        print(f"not passed: {name}")
    return sum((trial.outcome() for trial in trials), Outcome(0, 0))


def all_parts() -> list[list[str]]:
    """The tests that keep a processor busy, and two halves of those that mostly wait for real servers."""
    busy, waiting = _tests_in("tests"), _tests_in(_ON_REAL_SERVERS)
    return [[name for name in busy if name != _ON_REAL_SERVERS], waiting[::2], waiting[1::2]]


def _tests_in(package: str) -> list[str]:
    found = pkgutil.iter_modules([str(Path(__file__).parent.parent / package.replace(".", "/"))])
    return [f"{package}.{each.name}" for each in found if each.ispkg or each.name.startswith("test_")]


def run_tests(names: list[str]) -> Outcome:
    """Run tests and clear up behind them; what they left running counts as a failure."""
    with tempfile.TemporaryDirectory(prefix="cronq-run-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        try:
            outcome = run_trials([names] if names else all_parts(), folder)
            left = keeper.processes_of(folder)
        finally:
            keeper.kill_all(folder)
    if left:
        print(f"the tests left {len(left)} processes running")
    return outcome + Outcome(0, len(left))


def main(arguments: list[str]) -> int:
    """Do what the command line asks for; answers the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    outcome = Outcome(0, 0)
    if not arguments or "--lint" in arguments:
        outcome += run_checks()
    if "--lint" not in arguments:
        outcome += run_tests(arguments)
    print(outcome)
    return 1 if outcome.failed or not outcome.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
