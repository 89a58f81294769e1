"""Commands with awkward output, and a disk that is full."""

import subprocess
from pathlib import Path

from tests.integration.installation import InstallationCase, job
from tests.servers import Daemon

GIGABYTE = 1 << 30


def peak(daemon: Daemon) -> int:
    """The most memory that a daemon has had, in bytes."""
    (line,) = (
        each for each in Path(f"/proc/{daemon.pid}/status").read_text().splitlines() if "VmHWM" in each
    )
    return int(line.split()[1]) << 10


class OutputTests(InstallationCase):
    """Neither the runner's memory nor any result suffers."""

    def test_awkward_output(self) -> None:
        """A gigabyte, a line without end, bytes that are no text, and a pipe that is never closed."""
        _, _, runner, _ = self.start_all()
        before = peak(runner)
        self.log("Gigabyte").parent.mkdir(exist_ok=True)
        self.log("Gigabyte").symlink_to("/dev/null")
        self.put_and_run(
            job("Gigabyte", f"head -c {GIGABYTE} /dev/zero"),
            job("Endless line", "head -c 30000000 /dev/zero | tr '\\0' x"),
            job("Binary", "head -c 1000000 /dev/urandom | tee $EVIDENCE/binary"),
            job("Left behind", "sleep 1000 & echo $! > $EVIDENCE/pid; echo done"),
            job("Late", "(sleep 0.2; echo late) & echo early"),
            job("No output", "exec >&- 2>&-; exit 4"),
        )
        self.until(lambda: len(self.statuses()) == 6 and not {"queued", "running"} & set(self.statuses()))
        self.assertEqual(set(self.statuses("No output")), {"failed"})
        self.assertEqual(self.statuses().count("succeeded"), 5, self.runs())
        self.assertEqual(self.log("Endless-line").stat().st_size, 30_000_000)
        self.assertEqual(self.log("Binary").read_bytes(), (self.evidence / "binary").read_bytes())
        self.assertEqual(self.log("Left-behind").read_text(), "done\n")
        self.assertEqual(self.log("Late").read_text(), "early\nlate\n")
        self.assertLess(peak(runner) - before, 100 << 20)

    def test_told_as_well(self) -> None:
        """With `--log-to-stdout` the output is in the daemon's log, in pieces if a line is endless."""
        _, _, runner, _ = self.start_all(CRONQ_RUNNER_LOG_TO_STDOUT="yes")
        hostile = "printf 'x\\033[2J\\r\\n2026-01-01T00:00:00+0000 [cronq#info] forged\\n\\377\\n'"
        self.put_and_run(
            job("Hostile\noutput", hostile), job("Endless", "head -c 100000 /dev/zero | tr '\\0' y")
        )
        self.until_all(2)
        ((run_id,),) = self.sql(
            "SELECT run_id FROM runs JOIN jobs ON jobs.id = job_id WHERE name LIKE 'Host%%'"
        )
        told = [line.partition(f"run {run_id}: ")[2] for line in runner.lines if f"run {run_id}: " in line]
        self.assertEqual(told[1:-1], [r"x\x1b[2J", "2026-01-01T00:00:00+0000 [cronq#info] forged", r"\xff"])
        self.assertEqual([line for line in runner.lines if not line.startswith("20")], [])
        self.assertEqual(runner.output.count("y" * 8192), 12)

    def test_disk_full(self) -> None:
        """When the disk of the log folder is full, commands run as ever, and one line says what is lost."""
        limited = ["prlimit", f"--fsize={1 << 16}", "--pid"]
        _, _, runner, _ = self.start_all()
        subprocess.run([*limited, str(runner.pid)], check=True)
        self.put_and_run(job("Talkative", f"{self.record()}; ulimit -f unlimited; head -c 300000 /dev/zero"))
        self.until_all(1)
        self.assertEqual(len(self.recorded()), 1)
        runner.wait_for_line(r"Talkative.log: output is not being kept: File too large")
        runner.wait_for_line(r"Talkative.log: \d+ bytes of output were not kept: File too large")
