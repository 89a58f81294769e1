"""The daemons' own log: one line an event, to the terminal or to twistd's log file."""

import sys
from functools import partial
from typing import Any

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    textFileLogObserver,
)
from twisted.python.logfile import LogFile

#: What these say below a warning is of no use to an operator.
NOISY = ("twisted.web.server", "twisted.internet", "log_legacy")


def choose_log(twistd: Any, *, verbose: bool) -> None:
    """Give twistd our observer, unless its user asked for another one or for syslog.

    A long-lived `--logfile` is written by Twisted's `LogFile`, which SIGUSR1 rotates.
    """
    if twistd is None or twistd.get("logger") or twistd.get("syslog"):
        return
    to_terminal = twistd.get("nodaemon") and not twistd.get("logfile")
    twistd["logger"] = partial(make_observer, None if to_terminal else twistd.get("logfile"), verbose)


def make_observer(logfile: str | None, verbose: bool) -> ILogObserver:
    """An observer that writes to the log file, or to standard output when that is None or `-`."""
    to_terminal = logfile is None or logfile == "-"
    output: Any = sys.stdout if to_terminal else LogFile.fromFullPath(logfile or "twistd.log")
    levels = LogLevelFilterPredicate(defaultLogLevel=LogLevel.debug if verbose else LogLevel.info)
    if not verbose:
        for namespace in NOISY:
            levels.setLogLevelForNamespace(namespace, LogLevel.warn)
    observer: ILogObserver = FilteringLogObserver(textFileLogObserver(output), [levels])
    return observer
