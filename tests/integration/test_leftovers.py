"""A runner that starts again ends what its predecessor left running, and never anybody else."""

import os
import select
import signal
import subprocess
import time
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from cronq.execution.leftovers import Leftover, boot_id, end_group, process_start
from cronq.execution.procfs import group_is_empty, process_status

RUN_ID = "0123456789abcdef0123456789abcdef"
OTHER_RUN = "f" * 32


def is_alive(pid: int) -> bool:
    status = process_status(pid)
    return status is not None and status.alive


class EndGroupTests(SynchronousTestCase):
    def start(self, command: str, run_id: str | None = RUN_ID) -> Leftover:
        """Start a command as a runner does, and wait until it has written the ids of its children."""
        environment = {"PATH": "/usr/bin:/bin"} | ({} if run_id is None else {"CRONQ_RUN_ID": run_id})
        leader = subprocess.Popen(
            ["/bin/sh", "-c", f"{command}; exec >&-; wait"],
            env=environment,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.addCleanup(leader.wait)
        assert leader.stdout is not None
        with leader.stdout as output:
            self.children = [int(word) for word in output.read().split()]
        started = process_start(leader.pid)
        assert started is not None
        for pid in (leader.pid, *self.children):
            self.addCleanup(self.kill, pid)
        self.leader = leader
        return Leftover(RUN_ID, leader.pid, started, boot_id())

    def kill(self, pid: int) -> None:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)

    def lose_leader(self) -> None:
        """Let the leader die and be reaped, as happens when the runner was not the one to die first."""
        self.leader.kill()
        self.leader.wait()

    def assert_dies(self, pid: int) -> None:
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        self.addCleanup(os.close, pidfd)
        self.assertTrue(select.select([pidfd], [], [], 60)[0], f"process {pid} lives on")

    def test_whole_group(self) -> None:
        """The leader that was noted is ended with all of its group, whatever their environment is by now."""
        left = self.start("sleep 600 >&- & echo $!; env -i sleep 600 >&- & echo $!")
        self.assertTrue(end_group(left))
        for pid in (left.pid, *self.children):
            self.assert_dies(pid)

    def test_leader_gone(self) -> None:
        """Of a group without its leader, the processes that carry the run's id are ended."""
        left = self.start("sleep 600 >&- & echo $!")
        self.lose_leader()
        self.assertTrue(end_group(left))
        self.assert_dies(self.children[0])

    def test_leader_gone_and_nothing_proven(self) -> None:
        """Of a group without its leader, what does not carry the run's id may be a stranger's, and lives."""
        left = self.start("sleep 600 >&- & echo $!", OTHER_RUN)
        self.lose_leader()
        self.assertFalse(end_group(left))
        self.assertTrue(is_alive(self.children[0]))

    def test_another_with_the_same_id(self) -> None:
        """A process that was given the same id later is a stranger, and lives with its whole group."""
        left = self.start("sleep 600 >&- & echo $!", None)
        self.assertFalse(end_group(replace(left, process_start=left.process_start - 1)))
        self.assertTrue(is_alive(left.pid))
        self.assertTrue(is_alive(self.children[0]))

    def test_another_boot(self) -> None:
        """Nothing survives a boot: the same id and the same ticks are another's then."""
        left = self.start("sleep 600 >&- & echo $!")
        self.assertFalse(end_group(replace(left, boot_id="11111111-2222-3333-4444-555555555555")))
        self.assertTrue(is_alive(left.pid))

    def test_background_group(self) -> None:
        """Groups that a shell with job control made inside the session are ended too."""
        left = self.start("bash -c 'set -m; sleep 600 >&- & echo $!'")
        status = process_status(self.children[0])
        assert status is not None
        self.assertNotEqual(status.group, left.pid)
        self.assertTrue(end_group(left))
        self.assert_dies(self.children[0])

    def test_daemon(self) -> None:
        """A daemon that left for a session of its own was meant to stay, and does."""
        left = self.start("sleep 600 >&- & echo $(setsid -f sh -c 'echo $$; exec sleep 600 >&-')")
        self.assertTrue(end_group(left))
        self.assert_dies(left.pid)
        self.assertTrue(is_alive(self.children[0]))

    def test_busy_group(self) -> None:
        """A group that forks all the time is ended completely."""
        left = self.start("(while :; do sleep 0.01 & sleep 0.01; done) >&- 2>&- & :")
        self.assertTrue(end_group(left))
        for _ in range(6000):
            if group_is_empty(left.pid):
                return
            time.sleep(0.01)
        self.fail("some of the group live on")

    def test_nobody_left(self) -> None:
        """When all have died already there is nothing to do."""
        left = self.start("exec true")
        self.leader.wait()
        self.assertFalse(end_group(left))
        self.assertIsNone(process_start(left.pid))
