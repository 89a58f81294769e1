"""Starts of `true` per second: the project's launcher beside reactor.spawnProcess, in one run.

python bench/spawn.py [seconds per figure]
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, cast

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import react
from twisted.python.failure import Failure

from cronq.execution.interface import Command
from cronq.execution.process import ProcessLauncher

REPEATS = 5
WINDOWS = (1, 8, 64)
ENVIRONMENT = dict(os.environ)
reactor = cast("Any", installed)


class Until(ProcessProtocol):
    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        self.ended.callback(None)


def by_spawn_process() -> Deferred[Any]:
    protocol = Until()
    reactor.spawnProcess(protocol, "/bin/sh", ["/bin/sh", "-c", "true"], ENVIRONMENT)
    return protocol.ended


def by_launcher() -> Callable[[], Deferred[Any]]:
    launcher = ProcessLauncher(reactor)
    return lambda: launcher.launch(Command("true", ENVIRONMENT), lambda stream, data: None).ended


async def rate(start: Callable[[], Deferred[Any]], window: int, seconds: float) -> float:
    began = time.monotonic()
    done = 0

    async def one_after_the_other() -> None:
        nonlocal done
        while time.monotonic() - began < seconds:
            await start()
            done += 1

    await gatherResults([Deferred.fromCoroutine(one_after_the_other()) for _ in range(window)])
    return done / (time.monotonic() - began)


async def main(_reactor: object, seconds: str = "2") -> None:
    ways = {"ProcessLauncher": by_launcher(), "reactor.spawnProcess": by_spawn_process}
    for window in WINDOWS:
        figures: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(REPEATS):
            for name, start in ways.items():
                figures[name].append(await rate(start, window, float(seconds)))
        for name, rates in figures.items():
            spread = f"{min(rates):.0f} to {max(rates):.0f}"
            print(f"{name}, window {window}: {statistics.median(rates):.0f}/s ({spread})")


if __name__ == "__main__":
    react(lambda r, *args: Deferred.fromCoroutine(main(r, *args)), sys.argv[1:])
