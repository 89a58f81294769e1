"""The runner as a service of its process: it takes its folder and its notes when it starts, not before."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed

from cronq.commands.common import in_reactor_threads, utc_now
from cronq.commands.stopping import cannot_start
from cronq.services.notebook import Notebook
from cronq.services.recovery import recover, take_over
from cronq.services.runner import Runner
from cronq.services.salvage import Salvage
from cronq.services.state_folder import LockedFolder, home_id, lock_free_folders


class RunnerService(Service):
    """Owns the folder of a runner, and the runner that is built on the notes in it."""

    def __init__(self, folders: Path, reactor: Any, build: Callable[[Notebook, str], Runner]) -> None:
        """`folders` is where the runners of this machine have a folder each. A runner is built from its notes
        and the id of that place.
        """
        self._folders = folders
        self._reactor = reactor
        self._build = build
        self._folder: LockedFolder | None = None
        self._runner: Runner | None = None
        self._salvage: Salvage | None = None

    def startService(self) -> None:
        """Take a folder, clean up after the dead, and run."""
        Service.startService(self)
        try:
            notebook, home = self._take_folder(), home_id(self._folders)
        except OSError as error:
            why = f"the state folder {self._folders} cannot be used: {error.strerror}"
            raise cannot_start(why) from error
        self._runner = self._build(notebook, home)
        self._runner.startService()
        self._salvage = Salvage(
            self._folders, self._open, self._runner.reports, self._reactor, utc_now, socket.gethostname()
        )
        self._salvage.startService()

    def stopService(self) -> Deferred[None]:
        """Fires when the runner has stopped."""
        Service.stopService(self)
        return Deferred.fromCoroutine(self._stop()) if self._runner else succeed(None)

    def stop_now(self) -> None:
        """Do not wait for commands any longer."""
        if self._runner is not None:
            self._runner.stop_now()

    def _take_folder(self) -> Notebook:
        own, *left = lock_free_folders(self._folders)
        notebook = self._open(own.path)
        take_over(notebook, [self._open(folder.path) for folder in left])
        recover(notebook, utc_now, socket.gethostname())
        for folder in left:
            folder.clear()
        self._folder = own
        return notebook

    def _open(self, folder: Path) -> Notebook:
        return Notebook(folder, in_reactor_threads(self._reactor))

    async def _stop(self) -> None:
        assert self._runner is not None
        assert self._folder is not None
        assert self._salvage is not None
        await self._salvage.stopService()
        await self._runner.stopService()
        self._folder.release()
