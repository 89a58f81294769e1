"""Starts of `/bin/sh -c true` per second, in every way that there is.

    python -m bench.limits.spawning WAY WINDOW SECONDS

prints how many were started and reaped in a second, WINDOW at once. It is a process of its own because it
runs a reactor, and because the size of a process matters to fork(2).
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from typing import Any, cast

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import react
from twisted.python.failure import Failure
from zope.interface import implementer

from cronq.execution.interface import Command
from cronq.execution.process import ProcessLauncher
from tests.servers import ROOT

SHELL, COMMAND = "/bin/sh", ["/bin/sh", "-c", "true"]
ENVIRONMENT = dict(os.environ)
reactor = cast("Any", installed)

Start = Callable[[], Deferred[Any]]


@implementer(IReadDescriptor)
class _Descriptor:
    """What the reactor watches; calls `readable` until that says that it is enough."""

    def __init__(self, number: int, readable: Callable[[int], bool], closed: Callable[[], None]) -> None:
        self._number, self._readable, self._closed = number, readable, closed
        reactor.addReader(self)

    def fileno(self) -> int:
        return self._number

    def doRead(self) -> None:
        if not self._readable(self._number):
            self._close()

    def connectionLost(self, reason: Failure) -> None:
        self._close()

    def logPrefix(self) -> str:
        return "child"

    def _close(self) -> None:
        reactor.removeReader(self)
        os.close(self._number)
        self._closed()


class _Spawned:
    """A child by posix_spawn(3), with two pipes and a pidfd, and nothing else."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()
        self._open = 3
        (out, out_child), (err, err_child) = os.pipe(), os.pipe()
        actions = (os.POSIX_SPAWN_DUP2, out_child, 1), (os.POSIX_SPAWN_DUP2, err_child, 2)
        self._pid = os.posix_spawn(SHELL, COMMAND, ENVIRONMENT, file_actions=actions, setsid=True)
        os.close(out_child)
        os.close(err_child)
        for pipe in (out, err):
            _Descriptor(pipe, lambda number: bool(os.read(number, 65536)), self._one_less)
        _Descriptor(os.pidfd_open(self._pid), lambda _: False, self._one_less)

    def _one_less(self) -> None:
        self._open -= 1
        if not self._open:
            os.waitpid(self._pid, 0)
            self.ended.callback(None)


class _Until(ProcessProtocol):
    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)


def _by_spawn_process() -> Start:
    def start() -> Deferred[None]:
        protocol = _Until()
        reactor.spawnProcess(protocol, SHELL, COMMAND, ENVIRONMENT)
        return protocol.ended

    return start


def _by_launcher() -> Start:
    launcher = ProcessLauncher(reactor)
    return lambda: launcher.launch(Command("true", ENVIRONMENT), lambda stream, data: None).ended


WAYS: Mapping[str, Callable[[], Start]] = {
    "pidfd": lambda: lambda: _Spawned().ended,
    "spawnProcess": _by_spawn_process,
    "launcher": _by_launcher,
}


async def _in_reactor(start: Start, window: int, seconds: float) -> float:
    began = time.monotonic()
    done = 0

    async def one_after_the_other() -> None:
        nonlocal done
        while time.monotonic() - began < seconds:
            await start()
            done += 1

    await gatherResults([Deferred.fromCoroutine(one_after_the_other()) for _ in range(window)])
    return done / (time.monotonic() - began)


def _serial(seconds: float) -> float:
    began = time.monotonic()
    done = 0
    while time.monotonic() - began < seconds:
        os.waitpid(os.posix_spawn(SHELL, COMMAND, ENVIRONMENT), 0)
        done += 1
    return done / (time.monotonic() - began)


def _by_all_processors(seconds: float) -> float:
    processors = os.cpu_count() or 1
    with get_context("spawn").Pool(processors) as pool:
        return sum(pool.map(_serial, [seconds] * processors, chunksize=1))


def starts_per_second(way: str, window: int, seconds: float) -> float:
    """The same in a process of its own; `way` is one of WAYS, or "processors"."""
    arguments = ["-m", "bench.limits.spawning", way, str(window), str(seconds)]
    said = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(said.stdout)


def main(way: str, window: str, seconds: str) -> None:
    """Measure and print."""
    if way == "processors":
        print(_by_all_processors(float(seconds)))
        return

    async def measure(_: object) -> None:
        print(await _in_reactor(WAYS[way](), int(window), float(seconds)))

    react(lambda r: Deferred.fromCoroutine(measure(r)), [])


if __name__ == "__main__":
    main(*sys.argv[1:])
