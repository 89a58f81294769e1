"""A runner looks after its folder, and its neighbours': what a dead one left is ended, and reported."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cronq.execution.leftovers import Leftover, end_group
from cronq.services.loop import Loop
from cronq.services.notebook import FILE, Notebook
from cronq.services.recovery import recover
from cronq.services.reporting import Reports
from cronq.services.state_folder import LockedFolder, lock_dead_folders

log = Logger()

INTERVAL = 10.0  # seconds


class Salvage(Loop):
    """Takes over the notes of dead runners that no new one has taken over yet, and keeps its own whole."""

    def __init__(
        self,
        runners: Path,
        open_notes: Callable[[Path], Notebook],
        reports: Reports,
        clock: IReactorTime,
        now: Callable[[], datetime],
        host: str,
        end: Callable[[Leftover], bool] = end_group,
        interval: float = INTERVAL,
    ) -> None:
        """`runners` is the folder with a folder for each runner of this home; `interval` in seconds."""
        super().__init__("salvage", self.salvage, clock)
        self._runners = runners
        self._open_notes = open_notes
        self._reports = reports
        self._now = now
        self._host = host
        self._end = end
        self._interval = interval

    async def salvage(self) -> float:
        """One look at all folders."""
        self._reports.notebook.mend()
        for folder in lock_dead_folders(self._runners):
            try:
                await self._take_over(folder)
            except OSError as error:
                log.error("{path} cannot be taken over: {why}", path=folder.path, why=error.strerror)
                folder.release()
        return self._interval

    async def _take_over(self, folder: LockedFolder) -> None:
        notes = folder.path / FILE
        if not notes.exists() or not notes.stat().st_size:
            folder.release()
            return
        left, own = self._open_notes(folder.path), self._reports.notebook
        recover(left, self._now, self._host, self._end)
        reports = list(left.undelivered.values())
        await left.settled()
        await own.settled()
        own.absorb(left)
        folder.clear()
        self._reports.deliver(reports)
