"""Who may come in, as far as settings say: where the web listens, by which names, behind which proxies."""

import atexit
import importlib
from typing import Any

from twisted.internet.defer import succeed
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from cronq.commands import access
from cronq.commands.access import UsersCheck, add_user, is_only_here
from cronq.database.gateway import make_engine
from cronq.services.trouble import Trouble
from cronq.web.safety.door import AccessSettings
from tests.commands.case import PROGRAMS, CommandLineCase

HERE = (
    "tcp:5000:interface=127.0.0.1",
    "tcp:port=0:interface=127.9.8.7",
    r"tcp:5000:interface=\:\:1",
    "tcp:5000:interface=localhost",
    "ssl:443:interface=127.0.0.1:privateKey=k.pem",
)
ELSEWHERE = (
    "unix:/run/cronq/web.sock",
    r"unix:address=/run/a\:b:mode=660",
    "unix:/run/interface=127.0.0.1",
    "tcp:5000",
    "tcp:5000:interface=",
    "tcp:5000:interface=0.0.0.0",
    r"tcp:5000:interface=\:\:",
    "tcp:5000:interface=10.0.0.5",
    "tcp:5000:interface=127.0.0.1.evil.example",
    "tcp:5000:interface=127.0.0.1:interface=0.0.0.0",
    "tcp6:5000",
    "systemd:domain=INET:index=0",
    "haproxy:tcp:5000:interface=127.0.0.1",
    "systemd:domain=INET:index=0:interface=127.0.0.1",
)


class EndpointTests(SynchronousTestCase):
    def test_only_here(self) -> None:
        """What only this machine reaches is told from all that others may reach."""
        for where in HERE:
            self.assertTrue(is_only_here(where), where)
        for where in ELSEWHERE:
            self.assertFalse(is_only_here(where), where)

    def test_what_to_type(self) -> None:
        """What adds a user names a SQLite file, and no database whose password it would tell."""
        url = make_engine("sqlite:////var/lib/a b/cronq.sqlite").url
        self.assertEqual(
            add_user(url), "cronq users add NAME --database-url 'sqlite:////var/lib/a b/cronq.sqlite'"
        )
        self.assertEqual(add_user(make_engine("mysql://u:secret@h/d").url), "cronq users add NAME")


class OptionTests(CommandLineCase):
    """The options of the web."""

    def made(self, *arguments: str, program: str = "cronq-web") -> Any:
        module: Any = importlib.import_module(f"cronq.commands.{PROGRAMS[program]}")
        options = module.Options()
        options.parseOptions(arguments)
        return module.makeService(options)

    def test_no_login_elsewhere(self) -> None:
        """Without a login it listens on loopback and nowhere else."""
        self.environment["CRONQ_STATE_PATH"] = str(self.folder())
        for program in ("cronq-web", "cronq"):
            for where in (["--listen-interface", "0.0.0.0"], ["--listen", "tcp:5000"]):
                error = self.assertRaises(SystemExit, self.made, "--no-login", *where, program=program)
                said = self.stderr.getvalue().splitlines()
                self.assertEqual((error.code, len(said)), (2, 1))
                self.assertIn("--no-login is for loopback only, and not for tcp:5000", said[0])
                self.stderr.truncate(0)
                self.stderr.seek(0)
            self.made("--no-login", program=program)

    def test_wrong_values(self) -> None:
        """What is no proxy and no host is refused in one line."""
        for value in ("proxy.example", "10.0.0.0/33", "10.0.0.5/8", "all", "10.0.0.1;10.0.0.2"):
            self.assertIn(
                "expected addresses or networks of proxies",
                self.refused("cronq-web", "--trusted-proxy", value),
            )
        for value in ("https://cron.example", "cron.example:80", "a b", "*", "-x"):
            said = self.refused("cronq-web", "--allowed-host", value)
            self.assertIn("expected the name or the address of a host, without a port", said)

    def test_hosts(self) -> None:
        """The names that are listed count, and the address that it listens on, if it is one."""
        for arguments, listed in (
            ([], {"127.0.0.1"}),
            (["--listen-interface", "10.0.0.5"], {"10.0.0.5"}),
            (["--listen-interface", "0.0.0.0"], set()),
            (["--listen-interface", "::"], set()),
            (
                ["--allowed-host", "Cron.Example,b.example", "--allowed-host", "[2001:db8::1]"],
                {"127.0.0.1", "cron.example", "b.example", "2001:db8::1"},
            ),
            (["--listen", "tcp:80"], set()),
        ):
            values = self.parsed("cronq-web", *arguments)
            where = values.listen or "tcp:5000"
            self.assertEqual(access.hosts(values, where).listed, listed, arguments)
        self.environment["CRONQ_ALLOWED_HOSTS"] = "a.example, b.example"
        values = self.parsed("cronq-web", "--listen", "unix:/run/x")
        found = access.hosts(values, "unix:/run/x")
        self.assertEqual((found.listed, found.any), ({"a.example", "b.example"}, False))

    def test_socket(self) -> None:
        """Behind a UNIX socket any name will do, unless some are listed."""
        self.assertTrue(access.hosts(self.parsed("cronq-web", "--listen", "unix:/run/x"), "unix:/run/x").any)

    def test_proxies(self) -> None:
        """Proxies may be given one by one, or with commas between them."""
        self.environment["CRONQ_TRUSTED_PROXIES"] = "10.0.0.0/8, unix"
        found = access.access_settings(self.parsed("cronq-web"), "unix:/x", make_engine("sqlite://").url)
        self.assertEqual((str(found.proxies.networks[0]), found.proxies.unix), ("10.0.0.0/8", True))


class UsersCheckTests(SynchronousTestCase):
    """What the web does as soon as it knows whether there are users."""

    def setUp(self) -> None:
        self.clock = Clock()
        setattr(self.clock, "stop", lambda: self.begun.append("stopped"))  # noqa: B010 (it has none)
        self.ready, self.users = False, False
        self.begun: list[str] = []
        self.said: list[str] = []
        observer: Any = self.note
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        self.patch(atexit, "register", self.begun.append)

    def note(self, event: Any) -> None:
        if event["log_namespace"].startswith("cronq.commands"):
            self.said.append(event["log_format"].format(**event))

    def check(self, **settings: Any) -> UsersCheck:
        """A check that has started; this case stands for the tables and the database."""
        tables: Any = type("", (), {"ready": lambda _: succeed(self.ready), "trouble": Trouble()})()
        database: Any = type("", (), {"read": lambda *_: succeed(self.users)})()
        access = AccessSettings(**settings)
        check = UsersCheck(self.clock, tables, database, access, lambda: self.begun.append("listens"))
        check.startService()
        self.addCleanup(check.stopService)
        return check

    def test_others_reach_it(self) -> None:
        """It listens when there are users, and not before it knows."""
        self.check(loopback=False)
        self.assertEqual((self.begun, self.said), ([], []))
        self.ready = self.users = True
        self.clock.advance(1)
        self.assertEqual((self.begun, self.said), (["listens"], []))

    def test_without_users(self) -> None:
        """Where others reach it, it ends with one line that says what to do."""
        self.ready = True
        self.check(loopback=False)
        self.assertEqual((self.begun[-1], len(self.begun)), ("stopped", 2))
        why = "the web is to listen where others reach it, and has no users who could log in"
        self.assertEqual(self.said, [f"cannot start: {why}: cronq users add NAME"])

    def test_loopback(self) -> None:
        """On loopback it says that it is open and until when, unless that is known."""
        self.ready = True
        self.check()
        self.assertEqual(len(self.said), 1)
        self.assertIn(
            "everybody on this machine may do everything here, until cronq users add NAME", self.said[0]
        )
        self.check(no_login=True)
        self.users = True
        self.check()
        self.assertEqual((self.begun, len(self.said)), ([], 1))
