"""The notes of a runner: what they hold after any crash, and how they fare on a bad disk."""

import errno
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, maybeDeferred

from cronq.domain.messages import Report, ResultMessage
from cronq.execution.leftovers import Leftover
from cronq.services import notebook as module
from cronq.services.notebook import FILE, Notebook
from cronq.services.recovery import recover, take_over
from tests.services.cases import LoggedTestCase

NOON = datetime(2026, 1, 1, 12)
State = tuple[set[str], set[str]]
Note = Callable[[Notebook], None]


def leftover(number: int) -> Leftover:
    return Leftover(f"{number:032x}", number, 1000 + number, "a boot")


def report(number: int) -> ResultMessage:
    return ResultMessage(f"{number:032x}", 7, Report.FINISHED, NOON, "höst\n", return_code=0, run_time=1.5)


def started(number: int) -> Note:
    return lambda notebook: notebook.note_started(7, leftover(number))


def ended(number: int) -> Note:
    return lambda notebook: notebook.note_report(report(number))


def delivered(number: int) -> Note:
    return lambda notebook: notebook.note_delivered(report(number))


def state(notebook: Notebook) -> State:
    """What it holds."""
    for run_id, run in notebook.started.items():
        assert (run.job_id, run.leftover) == (7, leftover(int(run_id, 16)))
    for message_id, message in notebook.undelivered.items():
        assert message == report(int(message_id.partition(".")[0], 16))
    return set(notebook.started), set(notebook.undelivered)


SOME_NOTES = [
    started(1),
    started(2),
    ended(1),
    started(3),
    delivered(1),
    ended(3),
    started(4),
    ended(2),
    delivered(3),
    started(5),
]


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Crash(BaseException):
    """The process is gone."""


class NotebookTestCase(LoggedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.new_folder()

    def open(self, folder: Path | None = None) -> Notebook:
        notebook = Notebook(folder or self.folder, maybeDeferred)
        self.addCleanup(self.close, notebook)
        return notebook

    def close(self, notebook: Notebook) -> None:
        if notebook._file >= 0:
            notebook._release()

    def reopened(self) -> State:
        """What the next life of the runner finds."""
        notebook = self.open()
        found = state(notebook)
        notebook._release()
        return found


class MemoryTests(NotebookTestCase):
    def test_next_life(self) -> None:
        """What was started and not reported, and what was reported and not delivered, is found again."""
        notebook = self.open()
        for note in SOME_NOTES:
            note(notebook)
        self.assertEqual(state(notebook), ({leftover(4).run_id, leftover(5).run_id}, {report(2).message_id}))
        self.assertEqual(self.reopened(), state(notebook))

    def test_nothing(self) -> None:
        """A new folder holds nothing."""
        self.assertEqual(self.reopened(), (set(), set()))

    def test_delivered_twice(self) -> None:
        """A delivery that is noted twice, or of what is unknown, changes nothing."""
        notebook = self.open()
        for note in (ended(1), delivered(1), delivered(1), delivered(2)):
            note(notebook)
        self.assertEqual(self.reopened(), (set(), set()))

    def test_cut_at_every_byte(self) -> None:
        """Wherever a crash has cut the file, only the note that was being written is missing."""
        notebook = self.open()
        states, lengths = [state(notebook)], [0]
        for note in SOME_NOTES:
            note(notebook)
            states.append(state(notebook))
            lengths.append((self.folder / FILE).stat().st_size)
        whole = (self.folder / FILE).read_bytes()
        for length in range(len(whole) + 1):
            (self.folder / FILE).write_bytes(whole[:length])
            complete = sum(1 for end in lengths[1:] if end - 1 <= length)  # less the end of the line
            self.assertEqual(self.reopened(), states[complete], f"cut after {length} bytes")

    def test_note_after_a_torn_one(self) -> None:
        """What is noted after a crash is not glued to the torn rest before it."""
        started(1)(self.open())
        with (self.folder / FILE).open("ab") as file:
            file.write(b'{"started":{"run_id":"')
        started(2)(self.open())
        self.assertEqual(self.reopened(), ({leftover(1).run_id, leftover(2).run_id}, set()))
        self.assert_said("a note cannot be read and is passed over")

    @settings(max_examples=200)
    @given(
        st.lists(
            st.one_of(
                st.binary(max_size=40),
                st.sampled_from(
                    [
                        b"null",
                        b"7",
                        b'"started"',
                        b'["report"]',
                        b"{}",
                        b'{"started":null}',
                        b'{"started":{}}',
                        b'{"report":{"run_id":1}}',
                        b'{"delivered":[]}',
                        b"[" * 10_000,
                        b'{"started":{"run_id":{},"pid":1,"process_start":1,"boot_id":""},"job_id":1}',
                    ]
                ),
            )
        )
    )
    def test_garbage(self, lines: list[bytes]) -> None:
        """Whatever stands in the file, the runner starts."""
        (self.folder / FILE).write_bytes(b"\n".join(lines))
        self.assertEqual(self.reopened(), (set(), set()))


class LengthTests(NotebookTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(module, "LENGTH", 10_000)

    def length(self) -> int:
        return (self.folder / FILE).stat().st_size

    def test_busy_runner(self) -> None:
        """A runner that always has something running and something to deliver does not fill the disk."""
        notebook = self.open()
        longest = 0
        for number in range(500):
            started(number)(notebook)
            if number >= 2:
                ended(number - 1)(notebook)
                delivered(number - 2)(notebook)
            longest = max(longest, self.length())
        self.assertLess(longest, 11_000)
        self.assertEqual(self.reopened(), state(notebook))

    def test_long_outage(self) -> None:
        """What has to be kept may be long; then it is not written anew at every note."""
        notebook = self.open()
        rewritten = 0
        inode = (self.folder / FILE).stat().st_ino
        for number in range(500):
            ended(number)(notebook)
            rewritten += inode != (inode := (self.folder / FILE).stat().st_ino)
        self.assertGreater(self.length(), 50_000)
        self.assertLess(rewritten, 10)
        self.assertEqual(self.reopened(), state(notebook))

    def test_old_notes_go(self) -> None:
        """After the outage the file becomes short again."""
        notebook = self.open()
        for note in (ended, delivered, ended, delivered):
            for number in range(300):
                note(number)(notebook)
        self.assertLess(self.length(), 120_000)
        self.assertEqual(self.reopened(), (set(), set()))

    def test_descriptors(self) -> None:
        """However often it is written anew, it holds one file open."""
        before = open_descriptors()
        notebook = self.open()
        for number in range(300):
            ended(number)(notebook)
            delivered(number)(notebook)
        self.assertEqual(open_descriptors(), before + 1)
        self.successResultOf(Deferred.fromCoroutine(notebook.close()))
        self.assertEqual(open_descriptors(), before)


class SyncTests(NotebookTestCase):
    """A report is put on disk by a thread."""

    def setUp(self) -> None:
        super().setUp()
        self.patch(module, "LENGTH", 2_000)
        self.work: list[tuple[Deferred[Any], Callable[[], Any]]] = []

    def open(self, folder: Path | None = None) -> Notebook:
        return Notebook(folder or self.folder, self._in_thread)

    def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        answer: Deferred[Any] = Deferred()
        self.work.append((answer, lambda: function(*arguments)))
        return answer

    def finish(self) -> None:
        """Let the thread do what it has in hand."""
        answer, work = self.work.pop(0)
        answer.callback(work())

    def test_one_at_a_time(self) -> None:
        """What is noted while the disk works is put there in the next round, all together."""
        notebook = self.open()
        for number in range(5):
            ended(number)(notebook)
        self.assertEqual(len(self.work), 1)
        self.finish()
        self.assertEqual(len(self.work), 1)
        self.finish()
        self.assertEqual(self.work, [])

    def test_start_and_delivery_are_not_waited_for(self) -> None:
        """Only a report is worth the wait."""
        notebook = self.open()
        started(1)(notebook)
        self.assertEqual(self.work, [])
        ended(1)(notebook)
        self.finish()
        delivered(1)(notebook)
        self.assertEqual(self.work, [])

    def test_close_waits(self) -> None:
        """The file is closed when all is on disk."""
        notebook = self.open()
        ended(1)(notebook)
        ended(2)(notebook)
        closed = Deferred.fromCoroutine(notebook.close())
        self.finish()
        self.assertNoResult(closed)
        self.finish()
        self.successResultOf(closed)

    def test_thread_keeps_its_file(self) -> None:
        """The file is never written anew under the hands of the thread."""
        notebook = self.open()
        for number in range(100):
            ended(number)(notebook)
            delivered(number)(notebook)
            if number % 7 == 0 and self.work:
                self.finish()
        while self.work:
            self.finish()
        self.assertLess((self.folder / FILE).stat().st_size, 8_000)
        self.assertEqual(self.said("cannot take notes"), [])
        notebook._release()


class BadDiskTests(NotebookTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.space = 0
        self._write = os.write

    def fill(self, space: int = 0) -> None:
        """From now on there are so many bytes left."""
        self.space = space
        self.patch(os, "write", self._write_less)

    def clear(self) -> None:
        self.patch(os, "write", self._write)

    def _write_less(self, file: int, data: bytes) -> int:
        if not self.space:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(file, data[: self.space])
        self.space -= written
        return written

    def test_full(self) -> None:
        """A full disk is told once. When there is space again, what was noted meanwhile is on disk, too."""
        notebook = self.open()
        started(1)(notebook)
        self.fill()
        for note in SOME_NOTES[1:]:
            note(notebook)
        self.assert_said("notes: cannot take notes: No space left on device")
        self.clear()
        ended(9)(notebook)
        self.assertIn(report(2).message_id, state(notebook)[1])
        self.assertEqual(self.reopened(), state(notebook))

    def test_full_at_every_byte(self) -> None:
        """Wherever in a note the disk becomes full, no other note suffers, and all are there later."""
        for space in range(0, 700, 7):
            notebook = Notebook(self.new_folder(), maybeDeferred)
            self.fill(space)
            for note in SOME_NOTES:
                note(notebook)
            self.clear()
            started(6)(notebook)
            after = Notebook(notebook._path.parent, maybeDeferred)
            self.assertEqual(state(after), state(notebook), f"full after {space} bytes")
            after._release()
            notebook._release()

    def test_note_of_a_start_in_between(self) -> None:
        """A start that is noted right after a torn note, and then a crash: the start is found."""
        notebook = self.open()
        self.fill(20)
        started(1)(notebook)
        self.space = 1_000
        self.patch(module.Notebook, "_rewrite", self._full)
        started(2)(notebook)
        self.assertIn(b"%032x" % 2, (self.folder / FILE).read_bytes().splitlines()[-1])

    def test_full_at_the_start(self) -> None:
        """A runner starts on a full disk, with what it finds."""
        notebook = self.open()
        ended(1)(notebook)
        self.patch(os, "fsync", self._full)
        after = self.open()
        self.assertEqual(state(after), state(notebook))
        self.assert_said("cannot take notes: No space left")
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), [FILE])

    def test_disk_that_fails(self) -> None:
        """A disk that cannot keep what it took is told, and the notes are written anew."""
        notebook = self.open()
        fdatasync = os.fdatasync
        self.patch(os, "fdatasync", self._full)
        ended(1)(notebook)
        self.patch(os, "fdatasync", fdatasync)
        self.assert_said("cannot take notes")
        self.assertEqual(self.reopened(), state(notebook))

    def test_note_after_the_end(self) -> None:
        """What comes after the end is told, and written into no other file that has got the number."""
        notebook = self.open()
        self.successResultOf(Deferred.fromCoroutine(notebook.close()))
        other = os.open(self.folder / "other", os.O_RDWR | os.O_CREAT)
        self.addCleanup(os.close, other)
        ended(1)(notebook)
        self.assertEqual((self.folder / "other").read_bytes(), b"")
        self.assert_said("cannot take notes")

    def test_crash_while_it_is_written_anew(self) -> None:
        """Whichever step a crash follows, the old notes or the new ones are there as a whole."""
        notebook = self.open()
        for note in SOME_NOTES:
            note(notebook)
        for place, step in ((os, "open"), (os, "fsync"), (Path, "replace"), (module, "_sync_folder")):
            for after in (False, True):
                self._crash_at(place, step, after=after)
                self.assertRaises(Crash, self.open)
                self.doCleanups()
                self.assertEqual(self.reopened(), state(notebook), f"{step} {after}")

    def _crash_at(self, place: Any, step: str, *, after: bool) -> None:
        original = getattr(place, step)

        def crash(*arguments: Any, **others: Any) -> None:
            if after:
                original(*arguments, **others)
            raise Crash

        self.patch(place, step, crash)

    def _full(self, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class RecoveryTests(NotebookTestCase):
    def recover(self, notebook: Notebook, *, running: bool = True) -> list[int]:
        """What a runner does first; gives the processes that it ended."""
        ended_processes: list[int] = []

        def end(left: Leftover) -> bool:
            ended_processes.append(left.pid)
            return running

        recover(notebook, lambda: NOON, "host", end)
        return ended_processes

    def test_leftovers(self) -> None:
        """What a dead runner left running is ended and noted as lost, and what it reported is kept."""
        for note in SOME_NOTES:
            note(self.open())
        notebook = self.open()
        self.assertEqual(self.recover(notebook), [4, 5])
        self.assertEqual(notebook.started, {})
        lost = [each for each in notebook.undelivered.values() if each.report is Report.LOST]
        self.assertEqual({each.run_id for each in lost}, {leftover(4).run_id, leftover(5).run_id})
        self.assertIn("its command was still running", str(lost[0].reason))
        self.assertIn(report(2).message_id, notebook.undelivered)
        self.assert_said("was left by a runner that died", times=2)
        self.assertEqual(self.recover(self.open()), [])

    def test_command_was_gone(self) -> None:
        """When it had ended before, nobody knows how: lost as well."""
        started(1)(self.open())
        notebook = self.open()
        self.recover(notebook, running=False)
        (lost,) = notebook.undelivered.values()
        self.assertEqual(lost.report, Report.LOST)
        self.assertNotIn("still running", str(lost.reason))

    def test_killed_in_between(self) -> None:
        """A runner that dies during that leaves the rest to the next one."""
        for number in (1, 2):
            started(number)(self.open())

        def end(left: Leftover) -> bool:
            if left.pid > 1:
                raise Crash
            return True

        self.assertRaises(Crash, recover, self.open(), lambda: NOON, "host", end)
        notebook = self.open()
        self.assertEqual(self.recover(notebook), [2])
        self.assertEqual(len(notebook.undelivered), 2)

    def test_take_over(self) -> None:
        """What several dead runners left is moved into one notebook, and is on disk there."""
        others = [self.new_folder(), self.new_folder()]
        for number, folder in enumerate(others):
            for note in (started(10 + number), ended(20 + number)):
                note(self.open(folder))
        notebook = self.open()
        started(1)(notebook)
        before = open_descriptors()
        take_over(notebook, [Notebook(folder, maybeDeferred) for folder in others])
        self.assertEqual(open_descriptors(), before)
        self.assertEqual((len(notebook.started), len(notebook.undelivered)), (3, 2))
        self.assertEqual(self.reopened(), state(notebook))

    def test_take_over_on_a_full_disk(self) -> None:
        """What cannot be kept in the new place is not given up in the old one."""
        other = self.new_folder()
        ended(1)(self.open(other))
        notebook, left = self.open(), self.open(other)
        fsync = os.fsync
        self.patch(os, "fsync", self._fail)
        self.assertRaises(OSError, take_over, notebook, [left])
        self.patch(os, "fsync", fsync)
        self.assertEqual(list(self.open(other).undelivered), [report(1).message_id])

    def _fail(self, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")
