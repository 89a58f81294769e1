"""Commands as real processes: what they are given, what becomes of their output, and how they end."""

import fcntl
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.internet.utils import getProcessValue
from twisted.trial.unittest import TestCase

from cronq.domain.outputs import Stream
from cronq.execution.interface import Command, RunningCommand
from cronq.execution.process import ProcessLauncher
from cronq.execution.procfs import group_is_empty, process_start, process_status

ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
#: A program that runs one command, and writes what came of it to the file that it is told.
RUNNER = """
import pathlib, sys
from twisted.internet import reactor
from cronq.execution.interface import Command
from cronq.execution.process import ProcessLauncher

def run():
    got = []
    take = lambda stream, data: got.append(data)
    running = ProcessLauncher(reactor).launch(Command("echo out; echo err >&2; cat", {}), take)
    running.ended.addCallback(lambda _: pathlib.Path(sys.argv[1]).write_bytes(b"".join(got)))
    running.ended.addBoth(lambda _: reactor.stop())

reactor.callWhenRunning(run)
reactor.run()
"""


def is_alive(pid: int) -> bool:
    status = process_status(pid)
    return status is not None and status.alive


def is_stopped(pid: int) -> bool:
    return b") T " in read(f"/proc/{pid}/stat")


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def read(path: str) -> bytes:
    return Path(path).read_bytes()


def write(path: str, data: bytes) -> None:
    Path(path).write_bytes(data)


def memory_peak() -> int:
    """The most memory that this process has had, in kilobytes."""
    match = re.search(rb"VmHWM:\s+(\d+) kB", read("/proc/self/status"))
    assert match is not None
    return int(match[1])


class CommandTestCase(TestCase):
    """Launches commands, ends what a test leaves of them, and sees to it that no descriptor stays open."""

    linger = 0.2

    async def setUp(self) -> None:  # type: ignore[override]
        await self.turn()  # once it runs, the reactor has opened what it needs for itself
        before = open_descriptors()
        # Fewer are no fault: some of a test before this one may have been open until now.
        self.addCleanup(self.until, lambda: open_descriptors() <= before)
        self.launcher = ProcessLauncher(cast("Any", reactor), self.linger)
        self.output = {Stream.OUT: b"", Stream.ERR: b""}

    def take(self, stream: Stream, data: bytes) -> None:
        self.output[stream] += data

    def launch(
        self, command: str, environment: Mapping[str, str] = ENVIRONMENT, **rules: Any
    ) -> RunningCommand:
        running = self.launcher.launch(Command(command, environment, **rules), self.take)
        self.addCleanup(running.kill)
        return running

    async def run_command(self, command: str, environment: Mapping[str, str] = ENVIRONMENT) -> int:
        return (await self.launch(command, environment).ended).return_code

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what happens outside of this process; trial's own limit ends what never does."""
        while not condition():
            await self.turn()

    def turn(self) -> Deferred[None]:
        return deferLater(cast("Any", reactor), 0.01)

    async def until_written(self, text: bytes) -> None:
        await self.until(lambda: text in self.output[Stream.OUT])

    def pid_written(self) -> int:
        """The process that a command has said it left behind."""
        match = re.search(rb"pid (\d+)\n", self.output[Stream.OUT])
        assert match is not None
        pid = int(match[1])
        self.addCleanup(self.kill, pid)
        return pid

    def kill(self, pid: int) -> None:
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)


class SurroundingsTests(CommandTestCase):
    async def test_streams(self) -> None:
        """Standard output and error come apart, as they were written."""
        self.assertEqual(await self.run_command("echo good; echo bad >&2"), 0)
        self.assertEqual(self.output, {Stream.OUT: b"good\n", Stream.ERR: b"bad\n"})

    async def test_environment(self) -> None:
        """A command gets the environment it is given, and nothing of the runner's."""
        await self.run_command("exec /usr/bin/env", {"CRONQ_JOB_NAME": "na\u00efve = x", "EMPTY": ""})
        lines = self.output[Stream.OUT].decode().splitlines()
        given = [line for line in lines if not line.startswith("PWD=")]  # the shell itself sets that one
        self.assertEqual(sorted(given), ["CRONQ_JOB_NAME=na\u00efve = x", "EMPTY="])

    async def test_no_input(self) -> None:
        """A command that reads its input finds it at its end."""
        self.assertEqual(await self.run_command("readlink /proc/self/fd/0; cat"), 0)
        self.assertEqual(self.output[Stream.OUT], b"/dev/null\n")

    async def test_own_session(self) -> None:
        """A command leads a session and a process group of its own."""
        running = self.launch("cat /proc/$$/stat")
        await running.ended
        _parent, group, session = self.output[Stream.OUT].split()[3:6]
        self.assertEqual((int(group), int(session)), (running.pid, running.pid))
        self.assertNotEqual(running.pid, os.getpgrp())

    async def test_identity(self) -> None:
        """The start that is told of a command is that of its process."""
        running = self.launch("exec sleep 600")
        self.assertEqual(process_start(running.pid), running.process_start)
        self.assertGreater(running.process_start, 0)

    async def test_no_inherited_descriptors(self) -> None:
        """A command has three descriptors (and `ls` the folder it lists), whatever the runner inherited."""
        inherited = fcntl.fcntl(0, fcntl.F_DUPFD, 57)
        self.addCleanup(os.close, inherited)
        self.launcher = ProcessLauncher(cast("Any", reactor), self.linger)
        await gatherResults([self.launch("sleep 0.1").ended, self.launch("ls /proc/self/fd").ended])
        self.assertEqual(self.output[Stream.OUT], b"0\n1\n2\n3\n")

    async def test_signals_are_default(self) -> None:
        """No signal is ignored or blocked, though Python ignores some and its caller blocked another."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        self.addCleanup(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_IGN))
        of_libc = 1 << 31 | 1 << 32  # it keeps the signals 32 and 33 for its threads: signal(7)
        for directory in (None, "/"):
            self.output[Stream.OUT] = b""
            # Other shells unblock signals themselves.
            command = "grep -E '^Sig(Blk|Ign)' /proc/self/status"
            await self.launch(command, shell="/bin/bash", directory=directory).ended
            blocked, ignored = (int(mask, 16) for mask in self.output[Stream.OUT].split()[1::2])
            self.assertEqual((blocked, ignored & ~of_libc), (0, 0))
        self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_IGN)
        self.assertIn(signal.SIGUSR1, signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    async def test_broken_pipe(self) -> None:
        """A pipeline whose reader leaves ends by SIGPIPE, quietly, as at a terminal."""
        self.assertEqual(await self.run_command("{ yes; echo $? >&2; } | head -1"), 0)
        self.assertEqual(self.output, {Stream.OUT: b"y\n", Stream.ERR: b"141\n"})

    async def test_closed_standard_descriptors(self) -> None:
        """A runner that was started with its own input and output closed runs commands all the same."""
        result = self.mktemp()
        environment = {**ENVIRONMENT, "PYTHONPATH": ":".join(sys.path)}
        command = f"exec {sys.executable} -c '{RUNNER}' {result} <&- >&- 2>&-"
        self.assertEqual(await self.run_command(command, environment), 0)
        self.assertEqual(sorted(read(result).split()), [b"err", b"out"])


class EndTests(CommandTestCase):
    async def test_return_codes(self) -> None:
        """Exit statuses are passed on as they are."""
        for code in (0, 1, 3, 127, 255):
            self.assertEqual(await self.run_command(f"exit {code}"), code)

    async def test_death_by_signal(self) -> None:
        """A death by signal is 128 + its number."""
        self.assertEqual(await self.run_command("kill -KILL $$"), 137)
        self.assertEqual(await self.run_command("kill -USR1 $$"), 128 + signal.SIGUSR1)

    async def test_unknown_command(self) -> None:
        """A command that the shell cannot find is a command that failed, with the shell's words."""
        self.assertEqual(await self.run_command("/no/such/command"), 127)
        self.assertIn(b"not found", self.output[Stream.ERR])

    async def test_closed_output(self) -> None:
        """A command that closes its output early goes on until it exits."""
        self.assertEqual(await self.run_command("exec >&- 2>&-; sleep 0.1; exit 5"), 5)

    async def test_many_at_once(self) -> None:
        """Two hundred commands at once all report their own end and output."""
        ended = await gatherResults([self.launch(f"echo {n}; exit {n}").ended for n in range(200)])
        self.assertEqual([end.return_code for end in ended], list(range(200)))
        self.assertEqual(sorted(map(int, self.output[Stream.OUT].split())), list(range(200)))

    async def test_beside_other_children(self) -> None:
        """Commands and the children of reactor.spawnProcess do not take each other's exit status."""
        theirs = [getProcessValue("/bin/sh", ["-c", "exit 8"], reactor=reactor) for _ in range(20)]
        ours = [self.launch("exit 7").ended for _ in range(20)]
        self.assertEqual({end.return_code for end in await gatherResults(ours)}, {7})
        self.assertEqual(set(await gatherResults(theirs)), {8})

    async def test_status_taken_by_another(self) -> None:
        """A run whose exit status somebody else took does not hang: it has failed."""
        running = self.launch("exit 0")
        os.waitid(os.P_PID, running.pid, os.WEXITED)
        self.assertEqual((await running.ended).return_code, 255)


class OutputTests(CommandTestCase):
    linger = 60.0

    async def test_no_newline_at_the_end(self) -> None:
        """Output without a newline is whole, and nothing is added to it."""
        await self.run_command("printf 'no newline'")
        self.assertEqual(self.output[Stream.OUT], b"no newline")

    async def test_binary_output(self) -> None:
        """Every byte comes through."""
        every, source = bytes(range(256)) * 1000, self.mktemp()
        write(source, every)
        await self.run_command(f"cat {source}")
        self.assertEqual(self.output[Stream.OUT], every)

    async def test_much_output(self) -> None:
        """Fifty megabytes are counted to the byte, and are nowhere in memory."""
        size = 50_000_000
        received = largest = 0

        def count(_stream: Stream, data: bytes) -> None:
            nonlocal received, largest
            received, largest = received + len(data), max(largest, len(data))

        write("/proc/self/clear_refs", b"5")  # forget the peak so far: proc(5)
        before = memory_peak()
        end = await self.launcher.launch(Command(f"head -c {size} /dev/zero", ENVIRONMENT), count).ended
        self.assertEqual((end.return_code, received), (0, size))
        self.assertLessEqual(largest, 256 * 1024)
        self.assertLess(memory_peak() - before, 10_000)

    async def test_output_of_others(self) -> None:
        """What a background process writes soon after the exit still belongs to the run."""
        self.assertEqual(await self.run_command("(sleep 0.2; echo late) & exit 0"), 0)
        self.assertEqual(self.output[Stream.OUT], b"late\n")


class LeftBehindTests(CommandTestCase):
    linger = 0.05

    async def test_daemon_holds_the_output(self) -> None:
        """A command that leaves a daemon behind ends long before the daemon, and does not harm it."""
        self.assertEqual(await self.run_command("sleep 600 & echo pid $!; exit 3"), 3)
        self.assertTrue(is_alive(self.pid_written()))

    async def test_daemon_writes_later(self) -> None:
        """What a daemon writes after the end is passed on, and it does not die of a broken pipe."""
        fifo = self.mktemp()
        os.mkfifo(fifo)
        await self.run_command(f"(read line < {fifo}; echo got $line; echo still there) & exit 0")
        self.assertEqual(self.output[Stream.OUT], b"")
        write(fifo, b"something\n")
        await self.until_written(b"got something\nstill there\n")

    async def test_chatty_daemon(self) -> None:
        """A daemon that never stops writing does not keep the run from its end."""
        received = 0

        def count(_stream: Stream, data: bytes) -> None:
            nonlocal received
            received += len(data)

        running = self.launcher.launch(Command("yes & exit 0", ENVIRONMENT), count)
        await running.ended
        at_end = received
        await self.until(lambda: received > at_end + 100_000)
        os.killpg(running.pid, signal.SIGKILL)  # safe: as long as the daemon lives, the group is its own


class TerminationTests(CommandTestCase):
    async def test_terminate(self) -> None:
        """A command that is asked to end, ends by SIGTERM."""
        running = self.launch("exec sleep 600")
        running.terminate(60)
        self.assertEqual((await running.ended).return_code, 143)

    async def test_clean_up(self) -> None:
        """A command may clean up when it is asked to end, and its own exit status counts."""
        running = self.launch("trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.05; done")
        await self.until_written(b"ready\n")
        running.terminate(60)
        self.assertEqual((await running.ended).return_code, 9)
        self.assertEqual(self.output[Stream.OUT], b"ready\nbye\n")

    async def test_deaf_command(self) -> None:
        """A command that ignores SIGTERM is killed after the grace."""
        running = self.launch("trap '' TERM; echo ready; while :; do sleep 0.05; done")
        await self.until_written(b"ready\n")
        running.terminate(0.1)
        self.assertEqual((await running.ended).return_code, 137)

    async def test_stopped_command(self) -> None:
        """A command that is stopped can be ended too, without waiting for the grace."""
        running = self.launch("kill -STOP $$; echo never")
        await self.until(lambda: is_stopped(running.pid))
        running.terminate(60)
        self.assertEqual((await running.ended).return_code, 143)
        self.assertEqual(self.output[Stream.OUT], b"")

    async def test_grandchildren(self) -> None:
        """The children of a command, and theirs, end with it."""
        running = self.launch("(sleep 600; :) & (sleep 600; :) | cat & echo ready; wait")
        await self.until_written(b"ready\n")
        running.kill()
        self.assertEqual((await running.ended).return_code, 137)
        await self.until(lambda: group_is_empty(running.pid))

    async def test_deaf_grandchild(self) -> None:
        """A child that ignores SIGTERM and holds no pipe is killed too, though its parent obeyed at once."""
        deaf = "(trap '' TERM; echo ready; exec sleep 600 >/dev/null 2>&1) & echo pid $!; wait"
        running = self.launch(deaf)
        await self.until_written(b"ready\n")
        running.terminate(0.3)
        self.assertEqual((await running.ended).return_code, 143)
        await self.until(lambda: not is_alive(self.pid_written()))

    async def test_closed_pipes(self) -> None:
        """What has closed its output, and so says nothing of its end, is ended all the same."""
        ready = Path(self.mktemp())
        deaf = f"exec >&- 2>&-; trap '' TERM; sleep 600 & : >{ready}; while :; do sleep 0.05; done"
        running = self.launch(deaf)
        await self.until(ready.exists)
        running.terminate(0.1)
        self.assertEqual((await running.ended).return_code, 137)
        await self.until(lambda: group_is_empty(running.pid))

    async def test_job_control(self) -> None:
        """Children that a shell has put into groups of their own are ended with it, deaf ones, too."""
        children = "set -m; (trap '' TERM; echo deaf; exec sleep 600) & sleep 600 & echo pid $!; wait"
        running = self.launch(children, shell="/bin/bash")  # others want a terminal for it
        await self.until_written(b"deaf\n")
        await self.until_written(b"pid ")
        self.assertNotEqual(os.getpgid(self.pid_written()), running.pid)
        running.terminate(0.3)
        await running.ended
        await self.until(lambda: group_is_empty(running.pid))

    async def test_session_of_its_own(self) -> None:
        """A child that has left for a session of its own is let go: the end does not wait for it."""
        running = self.launch("setsid sh -c 'trap \"\" TERM; echo pid $$; exec sleep 600' & wait")
        await self.until_written(b"pid ")
        running.terminate(60)
        self.assertEqual((await running.ended).return_code, 143)
        self.assertTrue(is_alive(self.pid_written()))

    async def test_terminate_at_once(self) -> None:
        """Commands can be ended the moment they were started."""
        running = [self.launch("exec sleep 600") for _ in range(20)]
        for command in running:
            command.terminate(60)
        ended = await gatherResults([command.ended for command in running])
        self.assertEqual({end.return_code for end in ended}, {143})

    async def test_after_the_end(self) -> None:
        """Signals sent after the end reach nobody, not even a daemon that the command left on purpose."""
        running = self.launch("sleep 600 >/dev/null 2>&1 & echo pid $!")
        await running.ended
        running.terminate(0)
        running.kill()
        self.assertTrue(is_alive(self.pid_written()))
