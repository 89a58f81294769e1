"""Faults of cronq itself, reported to Sentry: `SENTRY_DSN`, with the extra `cronq[sentry]`."""

import importlib.util
from typing import Any

from twisted.application.service import Service
from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent, globalLogPublisher
from zope.interface import implementer

from cronq import __version__
from cronq.commands.settings import Setting


def dsn(value: str) -> str:
    """A DSN, when there is anything to use it with."""
    if importlib.util.find_spec("sentry_sdk") is None:
        raise ValueError("the extra to be installed: pip install 'cronq[sentry]'")
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        Dsn(value)
    except BadDsn as error:
        raise ValueError(f"a DSN as Sentry shows it ({error})") from error
    return value


SENTRY_DSN = Setting("sentry_dsn", ("SENTRY_DSN",), dsn, None, "where faults are reported", secret=True)


@implementer(ILogObserver)
class Sentry(Service):
    """Reports what is logged with a traceback, or as an error."""

    def __init__(self, address: str, program: str) -> None:
        self._address = address
        self._program = program
        self._sdk: Any = None

    def startService(self) -> None:
        """Begin to report. (Not before: its thread would not survive the way into the background.)"""
        import sentry_sdk

        Service.startService(self)
        self._sdk = sentry_sdk
        sentry_sdk.init(dsn=self._address, release=f"cronq@{__version__}", server_name=self._program)
        globalLogPublisher.addObserver(self)

    def stopService(self) -> None:
        """Report no more; what is under way has two seconds."""
        Service.stopService(self)
        globalLogPublisher.removeObserver(self)
        self._sdk.flush(timeout=2.0)

    def __call__(self, event: LogEvent) -> None:
        """Report the event if it tells of a fault."""
        failure = event.get("log_failure")
        if failure is not None:
            self._sdk.capture_exception(failure.value)
        elif event.get("log_level", LogLevel.debug) >= LogLevel.error:
            self._sdk.capture_message(formatEvent(event), level="error")
