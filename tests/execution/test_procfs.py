"""Reading /proc, whatever names processes give themselves."""

import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.execution import procfs

#: What follows the name in /proc/PID/stat: a state, then numbers; field 22 is the start.
REST = "4242 5 6 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 777 2600960 160"


class ProcessStatusTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.proc = Path(self.mktemp())
        (self.proc / "12").mkdir(parents=True)
        self.patch(procfs, "PROC", self.proc)

    def write(self, name: bytes, state: str = "S") -> None:
        (self.proc / "12" / "stat").write_bytes(b"12 (" + name + f") {state} {REST}\n".encode())

    @given(st.binary(max_size=15))
    def test_any_name(self, name: bytes) -> None:
        """A process may call itself `a) Z 1 (b`, and is read correctly all the same."""
        self.write(name.replace(b"\n", b""))
        self.assertEqual(
            procfs.process_status(12), procfs.ProcessStatus(alive=True, group=5, session=6, start=777)
        )

    def test_zombie(self) -> None:
        """A process that is dead and not yet reaped does not count as alive."""
        self.write(b"sh", "Z")
        status = procfs.process_status(12)
        assert status is not None
        self.assertFalse(status.alive)

    def test_nobody(self) -> None:
        """An id that no process has is answered with None, not with an error."""
        self.assertIsNone(procfs.process_status(13))
        self.assertIsNone(procfs.process_start(13))
        self.assertEqual(procfs.process_environment(13), frozenset())

    def test_environment(self) -> None:
        """The environment is what the process was started with, value by value."""
        (self.proc / "12" / "environ").write_bytes(b"A=1\0B=two words\0C=\0")
        self.assertEqual(procfs.process_environment(12), {b"A=1", b"B=two words", b"C="})

    def test_ids(self) -> None:
        """Only processes count, not the other files of /proc."""
        (self.proc / "self").mkdir()
        self.assertEqual(list(procfs.process_ids()), [12])


class OwnProcessTests(SynchronousTestCase):
    def test_this_process(self) -> None:
        """The real /proc is understood: this very process is found in its own group."""
        status = procfs.process_status(os.getpid())
        assert status is not None
        self.assertEqual((status.group, status.session), (os.getpgrp(), os.getsid(0)))
        self.assertFalse(procfs.group_is_empty(os.getpgrp()))
