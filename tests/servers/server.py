"""What RabbitMQ and MariaDB have in common when a test starts its own."""

import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from tests.servers import keeper
from tests.servers.sandbox import sandbox

_PATIENCE = 120.0
"""Seconds until a server that does not answer counts as broken; a loaded machine needs a small part of it."""


class ProgramMissing(Exception):
    """A server is not installed; the text names the package that has it."""


class ServerFailed(Exception):
    """A server did not start or did not do as it was told; the text holds the end of its log."""


def program(name: str, package: str, *folders: str) -> str:
    """The path of a program, looked for in `folders` and then where Debian puts servers."""
    found = shutil.which(name, path=":".join((*folders, "/usr/sbin", "/usr/bin")))
    if found is None:
        raise ProgramMissing(f"{name} is not installed, and the tests need it: apt-get install {package}")
    return found


def base_environment(folder: Path) -> dict[str, str]:
    """A small environment that owes nothing to the user's own, marked for the end of the tests."""
    return {
        "HOME": str(folder),
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        **keeper.mark(folder),
    }


def wait_until(condition: Callable[[], bool], failure: Callable[[], Exception | None]) -> None:
    """Return when `condition` holds; raise what `failure` answers, or TimeoutError when patience ends."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        if (error := failure()) is not None:
            raise error
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_PATIENCE:.0f} s in vain")
        time.sleep(0.05)


class Server(ABC):
    """A private server on loopback ports that it keeps over restarts.

    All verbs block until they are done; a test whose reactor has to go on calls them through `deferToThread`.
    """

    def __init__(self, name: str) -> None:
        self.folder = sandbox().new_folder(name)
        self._output = self.folder / "output"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where a daemon finds this server."""

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _environment(self) -> dict[str, str]: ...

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server does its work now; raises nothing when it does not."""

    @property
    def log(self) -> str:
        """What the server has written since it was first started."""
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    @property
    def running(self) -> bool:
        """Whether the server's process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server; return when it does its work. Raises ServerFailed with the end of its log."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(
                self._command(),
                env=base_environment(self.folder) | self._environment(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._answers, lambda: None if self.running else self._failed("ended at its start"))

    def stop(self) -> None:
        """Ask the server to end (SIGTERM); return when it has ended in an orderly way."""
        process = self._started()
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise self._failed("does not stop") from error

    def kill(self) -> None:
        """Kill all processes of the server at once (SIGKILL), as a power cut would; its files stay."""
        keeper.kill_all(self.folder)
        self._started().wait()

    def restart(self) -> None:
        """Stop in an orderly way and start again, on the same port and the same files."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze all processes of the server (SIGSTOP): connections stay open and nothing answers."""
        keeper.signal_all(self.folder, signal.SIGSTOP)
        wait_until(lambda: keeper.states_of(self.folder) == {"T"}, lambda: None)

    def resume(self) -> None:
        """Let a paused server go on."""
        keeper.signal_all(self.folder, signal.SIGCONT)

    def discard(self) -> None:
        """Kill what runs and remove the files; for a server that one test has to itself."""
        keeper.kill_all(self.folder)
        if self._process is not None:
            self._process.wait()
        shutil.rmtree(self.folder)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServerFailed(f"{type(self).__name__} was never started")
        return self._process

    def _failed(self, what: str) -> ServerFailed:
        return ServerFailed(f"{type(self).__name__} {what}:\n{self.log[-4000:]}")
