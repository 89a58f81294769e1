"""The one temporary folder of a test process: in it private servers and daemons live, with it they end."""

import atexit
import functools
import itertools
import random
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers import keeper

ROOT = Path(__file__).resolve().parents[2]
"""The checkout."""


class Sandbox:
    """A temporary folder, and a process that clears it up when this process ends in whatever way."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cronq-tests-")).resolve()
        self._numbers = itertools.count(1)
        # In a session of its own, so that Ctrl-C on the tests does not end it before its work.
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__, str(self.folder)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def new_folder(self, name: str) -> Path:
        """A new folder; processes that are to end with the tests carry `keeper.mark(folder)`."""
        folder = self.folder / f"{name}-{next(self._numbers)}"
        folder.mkdir()
        return folder

    def close(self) -> None:
        """Leave nothing running and no file."""
        self._keeper.communicate()


@functools.cache
def sandbox() -> Sandbox:
    """The sandbox of this process, made at first use and closed at exit."""
    made = Sandbox()
    atexit.register(made.close)
    return made


def free_port() -> int:
    """A loopback port that nobody listens on.

    It lies below the ports that the kernel gives to outgoing connections, so that a server which is
    restarted finds its port free again.
    """
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
