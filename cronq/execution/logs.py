"""The log files of jobs: one for each name, appended to, and never a reason for a run to fail."""

import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Protocol

from twisted.logger import Logger

log = Logger()

#: A file name has at most 255 bytes; ".log" and the suffix of a rotation ("-20261123.gz") must fit behind it.
LONGEST_NAME = 235
#: Seconds between two looks at whether the file was rotated away, or can be opened again.
LOOK_INTERVAL = 1.0
MODE = 0o640
FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def log_name(job_name: str) -> str:
    """The name of a job's log file, less its ending: ASCII letters and digits, with single `-` between them.

    Only ASCII counts as letters and digits, so that no file system can take two names for one or read a
    name as a path. A name that is too long is cut, and one without a letter or digit becomes `job`; either is
    followed by a digest of the whole name, to keep it apart from others.
    """
    name = re.sub(r"[^0-9A-Za-z]+", "-", job_name).strip("-")
    if name and len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(job_name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9].rstrip('-') or 'job'}-{digest}"


class Log(Protocol):
    """Where the output of a run is written to."""

    def write(self, data: bytes) -> None:
        """Append these bytes; never raises."""

    def close(self) -> None:
        """The run is over; what leftovers of it write may follow."""


class LimitedLog:
    """A log that takes only so much of one run; the last line of it says so."""

    def __init__(self, job_log: Log, limit: int, run_id: str) -> None:
        """`limit` in bytes."""
        self._job_log = job_log
        self._limit = self._room = limit
        self._run_id = run_id

    def write(self, data: bytes) -> None:
        """Append as many of these bytes as there is room for."""
        if len(data) <= self._room:
            self._room -= len(data)
            self._job_log.write(data)
        elif self._room >= 0:
            self._job_log.write(data[: self._room] + self._notice())
            self._room = -1

    def close(self) -> None:
        """The run is over."""
        self._job_log.close()

    def _notice(self) -> bytes:
        said = f"cronq: run {self._run_id} has written {self._limit} bytes, and the rest is not kept here"
        return f"\n{said}\n".encode()


class JobLog:
    """Appends the output of one run to the log file of its job.

    The file is opened at the first byte, and again when it was renamed or removed by a rotation. What cannot
    be written is dropped and counted, and said once when that begins and once when it is over.
    """

    def __init__(self, folder: Path, job_name: str, seconds: Callable[[], float]) -> None:
        """`seconds` is a clock that only needs to go forward."""
        self._folder = folder
        self._job_name = job_name
        self._seconds = seconds
        self._file: int | None = None
        self._next_look = float("-inf")
        self._closed = False
        self._trouble: str | None = None
        self._bytes_lost = 0

    @cached_property
    def path(self) -> Path:
        """The file. (Many runs write nothing, and it takes a while to work out.)"""
        return self._folder / f"{log_name(self._job_name)}.log"

    def write(self, data: bytes) -> None:
        """Append these bytes, or count them as lost; never raises OSError.

        What comes after `close` is written too, but the file is not kept open for more of it.
        """
        rest = memoryview(data)
        try:
            file = self._ready()
            while rest and file is not None:
                rest = rest[os.write(file, rest) :]
        except OSError as error:
            self._fail(error)
        if rest:
            self._bytes_lost += len(rest)
        else:
            self._tell_loss()
        if self._closed:
            self._release()

    def close(self) -> None:
        """Close the file, and say how much was lost if something was."""
        self._closed = True
        self._release()
        self._tell_loss()

    def _ready(self) -> int | None:
        now = self._seconds()
        if now < self._next_look:
            return self._file
        if self._file is not None and not _is_at(self.path, self._file):
            self._release()
        if self._file is None:
            self._file = _open(self.path)
        self._next_look = now + LOOK_INTERVAL
        return self._file

    def _release(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        self._next_look = float("-inf")
        try:
            os.close(file)
        except OSError as error:
            # A network file system may say only now that it could not keep what it took before.
            log.warn("{path}: {why}", path=self.path, why=error.strerror)

    def _fail(self, error: OSError) -> None:
        self._release()
        self._next_look = self._seconds() + LOOK_INTERVAL
        if self._trouble is None:
            self._trouble = error.strerror
            log.warn("{path}: output is not being kept: {why}", path=self.path, why=self._trouble)

    def _tell_loss(self) -> None:
        if self._trouble is None:
            return
        log.warn(
            "{path}: {count} bytes of output were not kept: {why}",
            path=self.path,
            count=self._bytes_lost,
            why=self._trouble,
        )
        self._trouble, self._bytes_lost = None, 0


def _open(path: Path) -> int:
    # Without O_NONBLOCK a FIFO with no reader would hold up the whole runner: fifo(7).
    file = os.open(path, FLAGS, MODE)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise OSError(errno.EINVAL, "it is not a regular file")


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(file))
    except FileNotFoundError:
        return False
