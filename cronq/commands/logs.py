"""The daemons' own log: one line an event, to the terminal or to twistd's log file."""

import sys
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


class DaemonLog:
    """How this process logs.

    There is one for the process, because twistd takes the name of a function that makes its observer, and
    gives that function nothing.
    """

    def __init__(self) -> None:
        self.logfile: str | None = None
        self.verbose = False

    def choose(self, twistd: Any, *, verbose: bool) -> None:
        """Have twistd use our observer, unless its user asked for another one or for syslog."""
        if twistd is None or twistd.get("logger") or twistd.get("syslog"):
            return
        to_terminal = twistd.get("nodaemon") and not twistd.get("logfile")
        self.logfile = "-" if to_terminal else twistd.get("logfile")
        self.verbose = verbose
        twistd["logger"] = f"{__name__}.{make_observer.__name__}"


DAEMON_LOG = DaemonLog()


def make_observer() -> ILogObserver:
    """The observer that was chosen. A log file is a Twisted `LogFile`: SIGUSR1 rotates it."""
    logfile = DAEMON_LOG.logfile or "twistd.log"
    output: Any = sys.stdout if logfile == "-" else LogFile.fromFullPath(logfile)
    observer: ILogObserver = FilteringLogObserver(textFileLogObserver(output), [_levels()])
    return observer


def _levels() -> LogLevelFilterPredicate:
    if DAEMON_LOG.verbose:
        return LogLevelFilterPredicate(defaultLogLevel=LogLevel.debug)
    levels = LogLevelFilterPredicate(defaultLogLevel=LogLevel.info)
    for namespace in NOISY:
        levels.setLogLevelForNamespace(namespace, LogLevel.warn)
    return levels
