"""Commands that cannot be started: told in a sentence, and nothing is left behind."""

import errno
import os
import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import CannotStart
from cronq.execution.interface import Command
from cronq.execution.procfs import process_status
from cronq.execution.spawning import Child, require_pidfd, spawn_shell

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class CannotStartTests(SynchronousTestCase):
    def refuse(self, call: str, error: int) -> None:
        """Let a system call fail from now on."""

        def refused(*_args: object, **_kwargs: object) -> int:
            raise OSError(error, os.strerror(error))

        self.patch(os, call, refused)

    def assert_cannot_start(
        self,
        because: str,
        command: str = "true",
        environment: Mapping[str, str] = ENVIRONMENT,
        **rules: Any,
    ) -> None:
        before = open_descriptors()
        self.assertRaisesRegex(CannotStart, because, spawn_shell, Command(command, environment, **rules))
        self.assertEqual(open_descriptors(), before)

    def release(self, child: Child) -> None:
        os.waitid(os.P_PID, child.pid, os.WEXITED)
        for descriptor in (child.pidfd, child.out, child.err):
            os.close(descriptor)

    def test_nul(self) -> None:
        """A NUL in the command is told as what it is."""
        self.assert_cannot_start("NUL", "echo a\0b")

    def test_bad_environment(self) -> None:
        """A variable that no process can be given is told."""
        for environment in ({"A=B": "1"}, {"A": "\0"}, {"A": "\ud800"}):
            self.assert_cannot_start("its environment cannot be handed to /bin/sh", environment=environment)

    def test_too_large(self) -> None:
        """A command, or an environment, that is larger than the kernel takes is told."""
        self.assert_cannot_start("too large", "x" * 200_000)
        self.assert_cannot_start("too large", environment={f"V{n}": "x" * 100_000 for n in range(100)})

    def test_no_shell(self) -> None:
        """A machine without the shell is told."""
        because = "/no/such/shell could not be started: No such file or directory"
        for directory in (None, "/"):
            self.assert_cannot_start(because, shell="/no/such/shell", directory=directory)

    def test_no_more_processes(self) -> None:
        """The kernel's refusal of one more process is told as a sentence."""
        self.refuse("posix_spawn", errno.EAGAIN)
        self.assert_cannot_start("no more processes may be started now")

    def test_no_memory(self) -> None:
        """So is its lack of memory."""
        self.refuse("posix_spawn", errno.ENOMEM)
        self.assert_cannot_start("there is not enough memory")

    def exhaust_descriptors(self) -> list[int]:
        """Open all descriptors that this process may have, and give those that can be closed again."""
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
        spare = []
        try:
            while True:
                spare.append(os.open(os.devnull, os.O_RDONLY))
        except OSError as error:
            self.assertEqual(error.errno, errno.EMFILE)
        return spare

    def test_too_few_descriptors(self) -> None:
        """A command takes four descriptors to start; with any fewer nothing is started, and none is lost."""
        before = open_descriptors()
        spare = self.exhaust_descriptors()
        for _ in range(4):
            self.assertRaisesRegex(CannotStart, "too many files", spawn_shell, Command("true", ENVIRONMENT))
            os.close(spare.pop())
        self.release(spawn_shell(Command("true", ENVIRONMENT)))
        for descriptor in spare:
            os.close(descriptor)
        self.assertEqual(open_descriptors(), before)

    def test_cannot_be_watched(self) -> None:
        """A command whose end could not be seen is ended at once, and reaped."""
        spawned: list[int] = []
        spawn = os.posix_spawn

        def note(*args: object, **kwargs: object) -> int:
            spawned.append(spawn(*args, **kwargs))  # type: ignore[arg-type]
            return spawned[-1]

        self.patch(os, "posix_spawn", note)
        self.refuse("pidfd_open", errno.ENFILE)
        self.assert_cannot_start("this machine has too many files open", "sleep 60")
        self.assertIsNone(process_status(spawned[0]))

    def test_old_kernel(self) -> None:
        """A kernel without pidfds is told of before any command is started."""
        self.refuse("pidfd_open", errno.ENOSYS)
        self.assertRaisesRegex(CannotStart, "Linux 5.3 or later", require_pidfd)
