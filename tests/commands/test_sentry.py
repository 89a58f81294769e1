"""What is reported to Sentry, with a stand-in for its SDK."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any

from twisted.logger import Logger, LogLevel, globalLogPublisher

from cronq import __version__
from cronq.commands import runner
from cronq.commands.sentry import Sentry
from tests.commands.case import PROGRAMS, CommandLineCase

ADDRESS = "https://key@sentry.example/1"


class BadDsn(Exception):
    """What the SDK raises."""


def parse_dsn(value: str) -> str:
    """As the SDK does."""
    if "@" not in value:
        raise BadDsn("Missing public key")
    return value


class FakeSdk(ModuleType):
    """Notes what it is told."""

    def __init__(self) -> None:
        super().__init__("sentry_sdk")
        self.__spec__ = ModuleSpec("sentry_sdk", None)
        self.calls: list[tuple[str, Any]] = []

    def init(self, **options: Any) -> None:
        self.calls.append(("init", options))

    def capture_exception(self, error: BaseException) -> None:
        self.calls.append(("exception", error))

    def capture_message(self, text: str, level: str) -> None:
        self.calls.append((level, text))

    def flush(self, timeout: float) -> None:
        self.calls.append(("flush", timeout))


class SentryCase(CommandLineCase):
    def setUp(self) -> None:
        super().setUp()
        self.sdk = FakeSdk()
        for name, module in (
            ("sentry_sdk", self.sdk),
            ("sentry_sdk.utils", SimpleNamespace(BadDsn=BadDsn, Dsn=parse_dsn)),
        ):
            self.addCleanup(self.restore, name, sys.modules.get(name))
            sys.modules[name] = module  # type: ignore[assignment]

    def restore(self, name: str, module: ModuleType | None) -> None:
        del sys.modules[name]
        if module is not None:
            sys.modules[name] = module


class SettingTests(SentryCase):
    def test_off(self) -> None:
        """Nothing is reported unless somebody asks for it."""
        for program in PROGRAMS:
            self.assertIsNone(self.parsed(program).sentry_dsn)

    def test_on(self) -> None:
        """Every daemon can be told."""
        self.environment["SENTRY_DSN"] = ADDRESS
        for program in PROGRAMS:
            self.assertEqual(self.parsed(program).sentry_dsn, ADDRESS)

    def test_wrong_address(self) -> None:
        """An address that is none is refused, and not shown."""
        self.assertEqual(
            self.refused("cronq-web", "--sentry-dsn", "s3cret"),
            "--sentry-dsn: the value cannot be used: expected a DSN as Sentry shows it (Missing public key)",
        )

    def test_not_installed(self) -> None:
        """Without the extra, the line says how to get it."""
        sys.modules["sentry_sdk"] = None  # type: ignore[assignment]
        self.assertEqual(
            self.refused("cronq-web", "--sentry-dsn", ADDRESS),
            "--sentry-dsn: the value cannot be used: expected the extra to be installed:"
            " pip install 'cronq[sentry]'",
        )

    def test_composed(self) -> None:
        """A daemon that is told an address has the service, and one that is not does not."""
        folder = str(self.folder())
        for arguments, expected in (([], 0), (["--sentry-dsn", ADDRESS], 1)):
            options = runner.Options()
            options.parseOptions(["--state-path", folder, *arguments])
            service: Any = runner.makeService(options)
            self.assertEqual(len([each for each in service if isinstance(each, Sentry)]), expected)


class ReportTests(SentryCase):
    def setUp(self) -> None:
        super().setUp()
        self.service = Sentry(ADDRESS, "cronq-web")

    def start(self) -> None:
        self.service.startService()
        self.addCleanup(self.stop)

    def stop(self) -> None:
        if self.service.running:
            self.service.stopService()

    def test_begins_with_the_service(self) -> None:
        """The SDK, which has threads, is not touched before the daemon is in the background."""
        self.assertEqual(self.sdk.calls, [])
        self.start()
        release = f"cronq@{__version__}"
        self.assertEqual(
            self.sdk.calls, [("init", {"dsn": ADDRESS, "release": release, "server_name": "cronq-web"})]
        )

    def test_faults(self) -> None:
        """A fault with a traceback is reported as what was raised."""
        self.start()
        fault = ValueError("a fault")
        try:
            raise fault
        except ValueError:
            Logger().failure("a pass failed")
        self.assertEqual(self.sdk.calls[1:], [("exception", fault)])
        self.flushLoggedErrors(ValueError)

    def test_errors(self) -> None:
        """So is what is logged as an error, as its sentence; warnings are not."""
        self.start()
        for level in LogLevel.iterconstants():
            Logger().emit(level, "{name}!", name=level.name)
        self.assertEqual(self.sdk.calls[1:], [("error", "error!"), ("error", "critical!")])

    def test_end(self) -> None:
        """At the end what is under way has two seconds, and no more is reported."""
        self.start()
        self.service.stopService()
        self.assertEqual(self.sdk.calls[1:], [("flush", 2.0)])
        self.assertNotIn(self.service, globalLogPublisher._observers)
