"""Runs the checks and the tests; the last line says how many passed and how many failed.

    python -m tests.run                 style, types and all tests
    python -m tests.run --lint          style and types
    python -m tests.run tests.domain    these tests

Nothing that the tests started is running afterwards, and no file of theirs is left.
"""

import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
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


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a process writes. One that is silent for too long is ended, and its Python says where it stood."""
    assert process.stdout is not None
    while True:
        silence = threading.Timer(_PATIENCE, process.send_signal, [signal.SIGABRT])
        silence.start()
        try:
            line = process.stdout.readline()
        finally:
            silence.cancel()
        if not line:
            return
        yield line


def run_trial(names: list[str], folder: Path) -> Outcome:
    """Run tests with all warnings as errors and with `folder` for their files; show all as it comes."""
    python = [sys.executable, "-u", "-X", "faulthandler", "-W", "error"]
    command = [*python, "-m", "twisted.trial", f"--temp-directory={folder}/trial", *names]
    environment = environ | {"TMPDIR": str(folder)} | keeper.mark(folder)
    summary = None
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as trial:
        try:
            for line in lines_of(trial):
                print(line, end="", flush=True)
                summary = line.strip() if _SUMMARY.match(line) else summary
        except BaseException:
            trial.kill()
            raise
    outcome = outcome_of(summary)
    return outcome if trial.returncode == 0 or outcome.failed else outcome + Outcome(0, 1)


def run_tests(names: list[str]) -> Outcome:
    """Run tests and clear up behind them; what they left running counts as a failure."""
    with tempfile.TemporaryDirectory(prefix="cronq-run-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        try:
            outcome = run_trial(names, folder)
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
        outcome += run_tests(arguments or ["tests"])
    print(outcome)
    return 1 if outcome.failed or not outcome.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
