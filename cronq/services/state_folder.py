"""A folder of its own for each runner, below one that several share; a dead runner's is taken over."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cronq.domain.runs import new_token

LOCK = "lock"
HOME = "home"


@dataclass(frozen=True, slots=True)
class LockedFolder:
    """A folder that no other process uses as long as this one holds its lock."""

    path: Path
    lock: int

    def release(self) -> None:
        """Let others have it. (The end of the process does the same.)"""
        os.close(self.lock)

    def clear(self) -> None:
        """Delete what is in it, as nothing of it matters any more, and let others have it.

        The folder itself stays: to remove it safely while others come and go is not worth its price.
        """
        for file in self.path.iterdir():
            if file.name != LOCK:
                file.unlink()
        self.release()


def lock_free_folders(runners: Path) -> list[LockedFolder]:
    """Lock every folder below `runners` that no living runner holds, and a new one if there is none.

    Raises `OSError` when the folder cannot be used.
    """
    runners.mkdir(parents=True, exist_ok=True, mode=0o700)
    return lock_dead_folders(runners) or [next(_new_folders(runners))]


def lock_dead_folders(runners: Path) -> list[LockedFolder]:
    """Lock every folder below `runners` that no living runner holds; raises `OSError`."""
    paths = sorted(path for path in runners.iterdir() if path.name.isdecimal() and path.is_dir())
    return [folder for path in paths if (folder := _lock(path))]


def home_id(runners: Path) -> str:
    """The id of the place whose runners look after each other: 32 hex digits, made once.

    Raises `OSError` when the folder cannot be used, or holds something else by that name.
    """
    path, draft = runners / HOME, runners / f"{HOME}.{new_token()}"
    if not path.exists():
        draft.write_text(new_token())
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another was faster
        finally:
            draft.unlink()
    if not path.stat().st_size:  # a power failure came between its name and its contents
        draft.write_text(new_token())
        draft.replace(path)
    return path.read_text()


def _new_folders(runners: Path) -> Iterator[LockedFolder]:
    number = 1
    while True:
        path = runners / str(number)
        path.mkdir(exist_ok=True, mode=0o700)
        if folder := _lock(path):
            yield folder
        number += 1


def _lock(path: Path) -> LockedFolder | None:
    handle = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return LockedFolder(path, handle)
