"""Log files of jobs: their names, their rotation, and what happens when they cannot be written."""

import errno
import os
import stat
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from cronq.execution.logs import JobLog, LimitedLog, log_name

HOSTILE = (
    "../../etc/passwd",
    "/etc/shadow",
    "<script>alert(1)</script>",
    "\"quoted\" and 'quoted'",
    "nul\0byte",
    "\N{PILE OF POO}",
    "\N{FULLWIDTH SOLIDUS}..\N{FULLWIDTH SOLIDUS}",
    "\udcff",
    ".",
    "..",
    "",
    "-",
    "\n",
    "x" * 300,
    "\N{ARABIC-INDIC DIGIT THREE}",
)


class LogNameTests(SynchronousTestCase):
    def test_plain_name(self) -> None:
        """A job of one plain word has a log of that name."""
        self.assertEqual(log_name("backup"), "backup")

    def test_runs_of_other_characters(self) -> None:
        """Each run of anything but letters and digits becomes one dash, and none is left at the ends."""
        self.assertEqual(log_name("  Test Job #1 (daily)! "), "Test-Job-1-daily")

    def test_hostile_names(self) -> None:
        """Names that mean something to a file system mean nothing here."""
        self.assertEqual(log_name("../../etc/passwd"), "etc-passwd")
        self.assertEqual(log_name("<script>"), "script")
        self.assertEqual(log_name("a\0b"), "a-b")

    def test_names_without_letters(self) -> None:
        """Names of which nothing is left have logs of their own, one each."""
        names = [log_name(name) for name in ("", ".", "..", "\N{PILE OF POO}", "\udcff")]
        self.assertEqual(len(set(names)), len(names))
        for name in names:
            self.assertRegex(name, r"\Ajob-[0-9a-f]{8}\Z")

    def test_long_names(self) -> None:
        """Names that are cut stay apart, and leave room for the endings of a rotation."""
        first, second = log_name("x" * 254 + "1"), log_name("x" * 254 + "2")
        self.assertNotEqual(first, second)
        self.assertLessEqual(len(f"{first}.log-20261123.gz"), 255)

    def test_longest_whole_name(self) -> None:
        """A name that fits is not cut."""
        self.assertEqual(log_name("x" * 235), "x" * 235)

    @given(st.text(alphabet=st.characters(exclude_categories=())))
    def test_every_name_is_safe(self, job_name: str) -> None:
        """Whatever a job is called, its log is named with letters, digits and single dashes between them."""
        self.assertRegex(log_name(job_name), r"\A[0-9A-Za-z]+(-[0-9A-Za-z]+)*\Z")
        self.assertLessEqual(len(log_name(job_name)), 235)


class JobLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "nightly-backup.log"
        self.log = JobLog(self.folder, "nightly backup", self.clock.seconds)
        self.addCleanup(self.log.close)
        self.events = self.enterContext(capturedLogs())

    def lines(self) -> list[str]:
        return [formatEvent(event) for event in self.events]

    def open_descriptors(self) -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def fail_writes(self, error: int) -> Any:
        def write(descriptor: int, data: bytes) -> int:
            raise OSError(error, os.strerror(error))

        return self.patch(os, "write", write)

    def test_silent_command(self) -> None:
        """A command that writes nothing leaves no file."""
        self.log.close()
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_append(self) -> None:
        """Output is appended as it is, whatever bytes it has, to what is there."""
        self.path.write_bytes(b"old\n")
        self.log.write(b"new \xff\x00")
        self.log.write(b"\r\nend")
        self.assertEqual(self.path.read_bytes(), b"old\nnew \xff\x00\r\nend")
        self.assertEqual(self.lines(), [])

    def test_mode(self) -> None:
        """Not everybody on the machine may read what jobs write."""
        self.addCleanup(os.umask, os.umask(0))
        self.log.write(b"secret")
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o640)

    def test_two_runs_at_once(self) -> None:
        """Two runs of one job append to one file without overwriting each other."""
        other = JobLog(self.folder, "nightly backup", self.clock.seconds)
        self.addCleanup(other.close)
        for log, line in ((self.log, b"1\n"), (other, b"2\n"), (self.log, b"3\n"), (other, b"4\n")):
            log.write(line)
        self.assertEqual(self.path.read_bytes(), b"1\n2\n3\n4\n")

    def test_rotation_by_rename(self) -> None:
        """After a rotation, output goes to the new file within about a second, and nothing is lost."""
        self.log.write(b"1\n")
        rotated = self.path.rename(self.folder / "nightly-backup.log.1")
        self.log.write(b"2\n")
        self.clock.advance(1)
        self.log.write(b"3\n")
        self.assertEqual(rotated.read_bytes(), b"1\n2\n")
        self.assertEqual(self.path.read_bytes(), b"3\n")

    def test_rotation_with_create(self) -> None:
        """The same when whoever rotates has made the new file already."""
        self.log.write(b"1\n")
        self.path.rename(self.folder / "nightly-backup.log.1")
        self.path.touch()
        self.clock.advance(1)
        self.log.write(b"2\n")
        self.assertEqual(self.path.read_bytes(), b"2\n")

    def test_rotation_by_truncation(self) -> None:
        """A file that is copied and truncated grows from its beginning again, without a hole."""
        self.log.write(b"0123456789")
        os.truncate(self.path, 0)
        self.log.write(b"x")
        self.assertEqual(self.path.read_bytes(), b"x")

    def test_descriptors(self) -> None:
        """A closed log, a rotated one and one that cannot be opened hold no descriptors."""
        before = self.open_descriptors()
        self.log.write(b"1")
        self.path.unlink()
        self.clock.advance(1)
        self.log.write(b"2")
        self.assertEqual(self.open_descriptors(), before + 1)
        self.log.close()
        self.log.write(b"late")
        self.path.unlink()
        self.path.mkdir()
        self.log.write(b"later")
        self.assertEqual(self.open_descriptors(), before)

    def test_output_after_close(self) -> None:
        """What a daemon writes after the end of its run is kept too."""
        self.log.write(b"1")
        self.log.close()
        self.log.write(b"2")
        self.log.write(b"3")
        self.assertEqual(self.path.read_bytes(), b"123")

    def test_full_disk(self) -> None:
        """A full disk is told of once, and once more with the loss when there is room again."""
        self.log.write(b"kept\n")
        patched = self.fail_writes(errno.ENOSPC)
        for _ in range(5):
            self.log.write(b"x" * 100)
            self.clock.advance(0.5)
        patched.restore()
        self.clock.advance(1)
        self.log.write(b"kept again\n")
        self.assertEqual(self.path.read_bytes(), b"kept\nkept again\n")
        self.assertEqual(
            self.lines(),
            [
                f"{self.path}: output is not being kept: No space left on device",
                f"{self.path}: 500 bytes of output were not kept: No space left on device",
            ],
        )

    def test_disk_full_to_the_end(self) -> None:
        """The loss is told at the end of the run when the log never worked again."""
        self.fail_writes(errno.EIO)
        self.log.write(b"12345")
        self.log.close()
        self.assertIn(f"{self.path}: 5 bytes of output were not kept: Input/output error", self.lines())
        self.assertEqual(len(self.lines()), 2)

    def test_disk_becomes_full(self) -> None:
        """Of a piece that fits in part, the part is kept, and only the rest is counted as lost."""
        real, room = os.write, [3, 0]

        def write(descriptor: int, data: bytes) -> int:
            if not (fits := room.pop(0)):
                raise OSError(errno.ENOSPC, "No space left on device")
            return real(descriptor, data[:fits])

        self.patch(os, "write", write)
        self.log.write(b"12345")
        self.log.close()
        self.assertEqual(self.path.read_bytes(), b"123")
        self.assertIn("2 bytes of output were not kept", self.lines()[-1])

    def test_no_folder(self) -> None:
        """A folder that is gone costs the output, not the run; when it is back, so is the log."""
        self.folder.rmdir()
        self.log.write(b"lost")
        self.folder.mkdir()
        self.clock.advance(1)
        self.log.write(b"kept")
        self.assertEqual(self.path.read_bytes(), b"kept")
        self.assertIn("4 bytes of output were not kept: No such file or directory", self.lines()[-1])

    def test_fifo(self) -> None:
        """A FIFO in the place of the log does not hold the runner up, whether it is read or not."""
        os.mkfifo(self.path)
        self.log.write(b"nobody reads")
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.clock.advance(1)
        self.log.write(b"somebody reads")
        self.log.close()
        self.assertEqual(os.read(reader, 100), b"")
        self.assertIn("26 bytes of output were not kept", self.lines()[-1])

    def test_directory(self) -> None:
        """Nor does a directory."""
        self.path.mkdir()
        self.log.write(b"x")
        self.log.close()
        self.assertIn("1 bytes of output were not kept: Is a directory", self.lines()[-1])

    def test_symbolic_link(self) -> None:
        """A link in a folder that others can write to leads nowhere."""
        target = self.folder / "target"
        target.touch()
        self.path.symlink_to(target.resolve())
        self.log.write(b"x")
        self.assertEqual(target.read_bytes(), b"")

    def assert_stays_in_the_folder(self, job_name: str) -> None:
        log = JobLog(self.folder, job_name, self.clock.seconds)
        log.write(b"x")
        log.close()
        self.assertIn(log.path, list(self.folder.iterdir()))
        self.assertEqual(self.lines(), [])

    def test_hostile_names_stay_in_the_folder(self) -> None:
        """Names made to lead elsewhere lead to files of their own, right in the folder."""
        for name in HOSTILE:
            self.assert_stays_in_the_folder(name)
        self.assertEqual(len(list(self.folder.iterdir())), len(HOSTILE))

    @given(st.text(alphabet=st.characters(exclude_categories=()), max_size=400))
    def test_names_stay_in_the_folder(self, job_name: str) -> None:
        """Whatever a job is called, its log is a file right in the folder."""
        self.assert_stays_in_the_folder(job_name)


class LimitedLogTests(SynchronousTestCase):
    """A log that takes only so much of one run."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def logged(self, *pieces: bytes) -> bytes:
        log = LimitedLog(JobLog(self.folder, "job", lambda: 0.0), 10, "1234")
        for piece in pieces:
            log.write(piece)
        log.close()
        found = (self.folder / "job.log").read_bytes()
        (self.folder / "job.log").unlink()
        return found

    def test_enough_room(self) -> None:
        """What is no longer than the limit is there as it is."""
        self.assertEqual(self.logged(b"01234", b"56789"), b"0123456789")

    def test_more(self) -> None:
        """Of more, the beginning is there, and one line says that the rest is not."""
        notice = b"\ncronq: run 1234 has written 10 bytes, and the rest is not kept here\n"
        self.assertEqual(self.logged(b"0123456789a", b"b" * 1000, b"c"), b"0123456789" + notice)
        self.assertEqual(self.logged(b"0123456789", b"a"), b"0123456789" + notice)

    def test_each_run(self) -> None:
        """The next run of the job has as much again."""
        self.logged(b"x" * 11)
        self.assertEqual(self.logged(b"ok"), b"ok")
