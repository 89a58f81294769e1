"""The daemons' own log: one line an event, to the terminal or to twistd's log file."""

import re
import signal
import sys
from functools import lru_cache
from typing import Any

from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    formatTime,
)
from twisted.python.logfile import LogFile
from zope.interface import implementer

#: What these say below a warning is of no use to an operator.
NOISY = ("twisted.web.server", "twisted.internet", "log_legacy")
#: What could pass for another line, turn what follows it on the terminal that shows it, or not be encoded:
#: control characters but the tab, separators of lines and paragraphs, what changes the direction, surrogates.
_HARMFUL = re.compile("[\0-\x08\n-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


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
        in_foreground = twistd.get("nodaemon") or twistd.get("debug")
        logfile = twistd.get("logfile")
        if logfile == "-" and not in_foreground:
            return  # twistd refuses that itself
        self.logfile = logfile or ("-" if in_foreground else "twistd.log")
        self.verbose = verbose
        twistd["logger"] = f"{__name__}.{make_observer.__name__}"


DAEMON_LOG = DaemonLog()


def make_observer() -> ILogObserver:
    """The observer that was chosen. A log file is a Twisted `LogFile`: SIGUSR1 rotates it."""
    logfile = DAEMON_LOG.logfile or "-"
    output: Any = _terminal() if logfile == "-" else _open(logfile)
    observer: ILogObserver = FilteringLogObserver(FileLogObserver(output, event_text), [Wanted(_levels())])
    return observer


@implementer(ILogFilterPredicate)
class Wanted:
    """Whether an event is to be told, which is worked out once for each namespace and level."""

    def __init__(self, levels: LogLevelFilterPredicate) -> None:
        @lru_cache(maxsize=1024)
        def decide(namespace: str, level: Any) -> Any:
            return levels({"log_namespace": namespace, "log_level": level})

        self._decide = decide

    def __call__(self, event: LogEvent) -> Any:
        """See `ILogFilterPredicate`."""
        return self._decide(event.get("log_namespace", ""), event.get("log_level"))


def event_text(event: LogEvent) -> str | None:
    """An event as a line, whatever is in it. If it has a traceback, that follows in lines with a tab."""
    text = _plain_text(event) or eventAsText(event, includeTraceback=False)
    failure = event.get("log_failure")
    if not text and failure is None:
        return None
    traceback = failure.getTraceback().splitlines() if failure is not None else []
    return "".join(f"{line}\n" for line in (one_line(text), *(f"\t{one_line(each)}" for each in traceback)))


def _plain_text(event: LogEvent) -> str | None:
    """What `eventAsText` says of an event of ours, in a fifth of the time; None when there may be more to it:
    a call in the format, say, or a mistake.
    """
    text, level = event.get("log_format"), event.get("log_level")
    if not isinstance(text, str) or "()" in text or level is None or _UNUSUAL & event.keys():
        return None
    try:
        said, time = text.format_map(event), _time_text(int(event["log_time"]))
    except Exception:  # whatever it is, eventAsText makes a line of it
        return None
    return f"{time} [{event['log_namespace']}#{level.name}] {said}" if said else None


#: Keys of an event that change how it is told.
_UNUSUAL = {"log_flattened", "log_system"}


@lru_cache(maxsize=1)
def _time_text(second: int) -> str:
    return formatTime(second)


def one_line(text: str) -> str:
    """The text with everything escaped that a terminal would obey, or that would begin another line."""
    return _HARMFUL.sub(lambda harmful: harmful[0].encode("unicode_escape").decode(), text)


def _terminal() -> Any:
    output: Any = sys.stdout
    # Else a character that its encoding does not know would cost the whole event.
    output.reconfigure(errors="backslashreplace")
    return output


def _open(path: str) -> LogFile:
    try:
        file: LogFile = LogFile.fromFullPath(path)
    except OSError as error:
        raise SystemExit(f"the log file {path} cannot be written: {error.strerror}") from error
    signal.signal(signal.SIGUSR1, lambda _number, _frame: _rotate_soon(file))
    return file


def _rotate_soon(file: LogFile) -> None:
    from twisted.internet import reactor

    reactor.callFromThread(file.rotate)  # type: ignore[attr-defined]


def _levels() -> LogLevelFilterPredicate:
    if DAEMON_LOG.verbose:
        return LogLevelFilterPredicate(defaultLogLevel=LogLevel.debug)
    levels = LogLevelFilterPredicate(defaultLogLevel=LogLevel.info)
    for namespace in NOISY:
        levels.setLogLevelForNamespace(namespace, LogLevel.warn)
    return levels
