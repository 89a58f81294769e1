"""What a runner must not forget: the commands it has started, and the reports that are not delivered yet."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger

from cronq.domain.errors import BadMessage
from cronq.domain.message_fields import write_fields
from cronq.domain.messages import ResultMessage
from cronq.execution.leftovers import Leftover

log = Logger()

FILE = "notes"
FLAGS, MODE = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC, 0o600
#: Rewritten when it is longer than this (bytes), and at least twice as long as it was after the last time.
LENGTH = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A command that is running, as far as the notes know."""

    job_id: int
    leftover: Leftover


class Notebook:
    """A file to which notes are appended, one JSON object a line.

    A note of a report is on disk (fsync) until the report is delivered. A note of a start needs to survive
    only the runner's own death, so it is not waited for. A full disk is told and otherwise endured: what is
    to be kept is in memory, too, and is written anew as soon as that is possible.
    """

    def __init__(self, folder: Path, run_in_thread: Callable[..., Deferred[Any]]) -> None:
        """Read the notes in `folder`, which this process has locked, and go on writing there.

        Raises `OSError` when the notes cannot be read.
        """
        self.started: dict[str, StartedRun] = {}
        self.undelivered: dict[str, ResultMessage] = {}
        #: The ids of runners that have ended, as far as results may not have heard yet.
        self.ended_lives: set[str] = set()
        self._life: str | None = None
        self._path = folder / FILE
        self._run_in_thread = run_in_thread
        self._file = os.open(self._path, FLAGS | os.O_CREAT, MODE)
        self._length = 0
        self._limit = LENGTH
        self._damaged = False
        self._unsynced = False
        self._is_syncing = False
        self._synced: Deferred[None] = succeed(None)
        self._read()
        self._try_to_rewrite()

    def note_started(self, job_id: int, leftover: Leftover) -> None:
        """A command runs now."""
        self.started[leftover.run_id] = StartedRun(job_id, leftover)
        self._append(_started(job_id, leftover))

    def note_report(self, message: ResultMessage) -> None:
        """A run is over; the report of it has to be delivered."""
        self.started.pop(message.run_id, None)
        self.undelivered[message.message_id] = message
        self._append(_report(message), relied_upon=True)

    def note_delivered(self, message: ResultMessage) -> None:
        """The broker has the report."""
        if self.undelivered.pop(message.message_id, None) is not None:
            self._append(_line({"delivered": message.message_id}))

    def begin_life(self, runner: str) -> None:
        """From here on, the notes are those of the runner with this id."""
        self._life = runner
        self._append(_line({"life": runner}))

    def forget_life(self, runner: str) -> None:
        """Results has heard that this runner has ended."""
        self.ended_lives.discard(runner)
        self._append(_line({"ended": runner}))

    def mend(self) -> None:
        """Write anew what could not be written, if there is space again."""
        if self._damaged:
            self._sync_soon()

    async def settled(self) -> None:
        """Returns when no thread has the file in hand, and all that is relied upon is on disk."""
        await self._synced

    def absorb(self, other: "Notebook") -> None:
        """Take over what another notebook holds, and close that one. Returns when all is on disk here.

        Both have to be settled. Raises `OSError` when it cannot be put there; then the other one still holds
        it, too.
        """
        self.started |= other.started
        self.undelivered |= other.undelivered
        self.ended_lives |= other.ended_lives
        self._rewrite()
        other._release()

    async def close(self) -> None:
        """Close the file when all is on disk."""
        await self._synced
        self._release()

    def _append(self, line: bytes, *, relied_upon: bool = False) -> None:
        # After a note that could not be finished, a line of its own.
        line = b"\n" * self._damaged + line
        try:
            written = os.write(self._file, line)
        except OSError as error:
            self._fail(error.strerror)
            return
        self._length += written
        if written < len(line):
            self._fail("there is no space left for a whole line")
        elif relied_upon or self._damaged or self._length > self._limit:
            self._sync_soon()

    def _fail(self, why: str | None) -> None:
        if not self._damaged:
            log.error("{path}: cannot take notes: {why}", path=self._path, why=why)
        self._damaged = True

    def _sync_soon(self) -> None:
        self._unsynced = True
        if not self._is_syncing:
            self._synced = Deferred.fromCoroutine(self._sync())

    async def _sync(self) -> None:
        self._is_syncing = True
        while self._unsynced:
            self._unsynced = False  # what is noted from now on waits for the next round
            try:
                await self._run_in_thread(os.fdatasync, self._file)
            except OSError as error:
                self._fail(error.strerror)
            if self._damaged or self._length > self._limit:
                self._try_to_rewrite()
        self._is_syncing = False

    def _read(self) -> None:
        with self._path.open("rb") as file:
            for line in file:
                try:
                    self._recall(json.loads(line))
                except (ValueError, KeyError, TypeError, RecursionError, BadMessage):
                    # The last line may be torn by a crash; it was not relied on yet.
                    log.warn("{path}: a note cannot be read and is passed over", path=self._path)

    def _recall(self, note: dict[str, Any]) -> None:
        if "started" in note:
            leftover = Leftover(**note["started"])
            self.started[leftover.run_id] = StartedRun(note["job_id"], leftover)
        elif "report" in note:
            message = ResultMessage.decode(json.dumps(note["report"]).encode())
            self.started.pop(message.run_id, None)
            self.undelivered[message.message_id] = message
        elif "life" in note:
            self.ended_lives.add(note["life"])
        elif "ended" in note:
            self.ended_lives.discard(note["ended"])
        else:
            self.undelivered.pop(note["delivered"], None)

    def _try_to_rewrite(self) -> None:
        try:
            self._rewrite()
        except OSError as error:
            self._fail(error.strerror)

    def _rewrite(self) -> None:
        """Begin a new file with what still matters, and put it in the place of the old one.

        Never while a thread has the old one in hand.
        """
        fresh = self._path.with_suffix(".new")
        handle = os.open(fresh, FLAGS | os.O_CREAT | os.O_TRUNC, MODE)
        try:
            with open(handle, "wb", closefd=False) as file:
                file.writelines(self._lines())
            os.fsync(handle)
            fresh.replace(self._path)
        except OSError:
            os.close(handle)
            fresh.unlink()
            raise
        os.close(self._file)
        self._file, self._damaged = handle, False
        self._length = os.fstat(handle).st_size
        self._limit = max(LENGTH, 2 * self._length)
        _sync_folder(self._path.parent)

    def _lines(self) -> Iterator[bytes]:
        for runner in (*self.ended_lives, *([self._life] if self._life else [])):
            yield _line({"life": runner})
        for run in self.started.values():
            yield _started(run.job_id, run.leftover)
        for message in self.undelivered.values():
            yield _report(message)

    def _release(self) -> None:
        os.close(self._file)
        self._file = -1  # the number may soon be another file's


def _started(job_id: int, leftover: Leftover) -> bytes:
    # Not `asdict`, which copies all of it first, and this is written at every start.
    noted = {name: getattr(leftover, name) for name in Leftover.__slots__}
    return _line({"started": noted, "job_id": job_id})


def _report(message: ResultMessage) -> bytes:
    return b'{"report":' + message.encode() + b"}\n"


def _line(note: dict[str, Any]) -> bytes:
    return write_fields(note) + b"\n"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
