"""What a runner must not forget: the commands it has started, and the reports that are not delivered yet."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from cronq.domain.errors import BadMessage
from cronq.domain.messages import ResultMessage
from cronq.execution.leftovers import Leftover

log = Logger()

FILE = "notes"
#: Rewritten when it is longer than this (bytes), unless it is short for what it has to hold.
LENGTH = 1024 * 1024


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A command that is running, as far as the notes know."""

    job_id: int
    leftover: Leftover


class Notebook:
    """A file to which notes are appended, one JSON object a line.

    A note of a report is on disk (fsync) until the report is delivered. A note of a start needs to survive
    only the runner's own death, so it is not waited for. A full disk is told and otherwise endured.
    """

    def __init__(self, folder: Path, run_in_thread: Callable[..., Deferred[Any]]) -> None:
        """Read the notes in `folder`, which this process has locked, and go on writing there."""
        self.started: dict[str, StartedRun] = {}
        self.undelivered: dict[str, ResultMessage] = {}
        self._path = folder / FILE
        self._run_in_thread = run_in_thread
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._syncing: Deferred[None] | None = None
        self._dirty = False
        self._trouble = False
        self._read()
        self._rewrite()

    def note_started(self, job_id: int, leftover: Leftover) -> None:
        """A command runs now."""
        self.started[leftover.run_id] = StartedRun(job_id, leftover)
        self._append({"started": asdict(leftover), "job_id": job_id})

    def note_report(self, message: ResultMessage) -> None:
        """A run is over; the report of it has to be delivered."""
        self.started.pop(message.run_id, None)
        self.undelivered[message.message_id] = message
        self._append({"report": json.loads(message.encode())})
        self._sync_soon()

    def note_delivered(self, message: ResultMessage) -> None:
        """The broker has the report."""
        if self.undelivered.pop(message.message_id, None) is not None:
            self._append({"delivered": message.message_id})
            if self._length > LENGTH and not self.undelivered and not self._syncing:
                self._rewrite()

    async def close(self) -> None:
        """Close the file when all is on disk."""
        if self._syncing is not None:
            await self._syncing
        os.close(self._file)

    def _append(self, note: dict[str, Any]) -> None:
        line = json.dumps(note, separators=(",", ":")).encode() + b"\n"
        try:
            self._length += os.write(self._file, line)
        except OSError as error:
            self._tell(error)
        else:
            self._trouble = False

    def _tell(self, error: OSError) -> None:
        if not self._trouble:
            log.error("{path}: cannot take notes: {why}", path=self._path, why=error.strerror)
        self._trouble = True

    def _sync_soon(self) -> None:
        self._dirty = True
        if self._syncing is None:
            self._syncing = Deferred.fromCoroutine(self._sync())

    async def _sync(self) -> None:
        while self._dirty:
            self._dirty = False  # what is noted from now on waits for the next round
            try:
                await self._run_in_thread(os.fdatasync, self._file)
            except OSError as error:
                self._tell(error)
        self._syncing = None

    def _read(self) -> None:
        with self._path.open("rb") as file:
            for line in file:
                try:
                    self._recall(json.loads(line))
                except (ValueError, KeyError, TypeError, BadMessage):
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
        else:
            self.undelivered.pop(note["delivered"], None)

    def _rewrite(self) -> None:
        """Begin a new file with what still matters, and put it in the place of the old one."""
        notes: list[dict[str, Any]] = [
            {"started": asdict(run.leftover), "job_id": run.job_id} for run in self.started.values()
        ]
        notes += [{"report": json.loads(message.encode())} for message in self.undelivered.values()]
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.writelines(json.dumps(note).encode() + b"\n" for note in notes)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        _sync_folder(self._path.parent)
        os.close(self._file)
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        self._length = os.fstat(self._file).st_size


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
