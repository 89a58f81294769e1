"""Twisted's reactor, as the daemons use it."""

import gc
import time
from typing import Any

#: So many objects more than before until the youngest are looked at, and so many such looks until those are
#: looked at that have outlived one, and those that have outlived two: `gc.set_threshold`.
_THRESHOLDS = 10_000, 20, 50


def steady_reactor() -> Any:
    """The reactor, waiting by a clock that nobody sets: clock_gettime(2), CLOCK_MONOTONIC.

    By itself it waits by the time of day (https://github.com/twisted/twisted/issues/2424). When that is set
    back by an hour, a runner would be silent for an hour, and its runs be given up for lost. To be called
    before anything is made that looks at its clock.
    """
    from twisted.internet import reactor

    steady: Any = reactor
    steady.seconds = time.monotonic
    steady.callWhenRunning(_spare_the_collector)
    return steady


def _spare_the_collector() -> None:
    """Have the garbage collector leave alone what is there for good: modules, classes, functions.

    To go through it all takes some thirty milliseconds, in which a daemon does nothing else. What comes
    later, such as statements that are compiled once, is gone through the more seldom the older it is.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
