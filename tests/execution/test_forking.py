"""Commands as another user: by a runner that may not switch, and on a machine that does not answer."""

import errno
import os
import subprocess
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import CannotStart
from cronq.execution import forking
from cronq.execution.accounts import Account
from cronq.execution.forking import Surroundings, fork

OTHER = Account("other", os.geteuid() + 1, os.getegid(), (os.getegid(),), {})
OWN = Account("own", os.geteuid(), os.getegid(), (), {})


class RefusedTests(SynchronousTestCase):
    """What is said when a job cannot have what it wants. Nothing is started."""

    def refusal(self, around: Surroundings) -> str:
        return str(self.assertRaises(CannotStart, fork, ["/bin/sh", "-c", "true"], {}, around, 1, 2))

    def popen_fails(self, error: OSError) -> None:
        def fail(*_args: Any, **_keywords: Any) -> None:
            raise error

        self.patch(subprocess, "Popen", fail)

    def test_may_not_switch(self) -> None:
        """A runner that is not root says which user it may not become, with and without a directory."""
        expected = "this runner may not run commands as 'other': Operation not permitted"
        self.popen_fails(PermissionError(errno.EPERM, os.strerror(errno.EPERM)))
        self.assertEqual(self.refusal(Surroundings(OTHER)), expected)
        self.assertEqual(self.refusal(Surroundings(OTHER, "/")), expected)

    def test_needs_no_switch(self) -> None:
        """What fails for its own user is the directory."""
        self.popen_fails(PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/"))
        expected = "the directory '/' cannot be entered: Permission denied"
        self.assertEqual(self.refusal(Surroundings(OWN, "/")), expected)

    def test_no_answer(self) -> None:
        """A file system that does not answer holds the runner up for a moment only."""

        def hang(*_args: Any, **keywords: Any) -> None:
            raise subprocess.TimeoutExpired("cd", keywords["timeout"])

        self.patch(subprocess, "run", hang)
        self.assertEqual(self.refusal(Surroundings(OTHER, "/")), "the directory '/' gives no answer")
        self.assertLess(forking.PATIENCE, 10)
