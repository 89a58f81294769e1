"""The disk of a machine, as the notes of its runners see it: it may be full."""

import errno
import os
import random
from pathlib import Path
from typing import Any


class Disk:
    """In the place of `os` where notes are written: what is said to be synced is, and costs nothing."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        #: The folders of the machines that have no space left.
        self.full: set[Path] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def open(self, path: Path, flags: int, mode: int = 0o777) -> int:
        """Whatever would have to be made is refused on a full disk."""
        if flags & os.O_CREAT and self._is_full(path) and (flags & os.O_TRUNC or not path.exists()):
            raise _no_space()
        return os.open(path, flags, mode)

    def write(self, file: int, data: bytes) -> int:
        """On a full disk it ends with an error, or in the middle of the line."""
        if self.full and self._is_full(Path(f"/proc/self/fd/{file}").readlink()):
            length = self._chance.choice((0, len(data) // 2))
            if not length:
                raise _no_space()
            return os.write(file, data[:length])
        return os.write(file, data)

    def fsync(self, file: int) -> None:
        pass

    fdatasync = fsync

    def _is_full(self, path: Path) -> bool:
        return any(path.resolve().is_relative_to(folder) for folder in self.full)


def _no_space() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")
