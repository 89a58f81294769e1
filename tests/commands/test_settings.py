"""What an operator can set: where a value comes from, and what is said when it cannot be used."""

import os
import re
from pathlib import Path
from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from cronq.commands.settings import Setting, byte_count
from tests.commands.case import PROGRAMS, CommandLineCase, options_of

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"


class SourceTests(CommandLineCase):
    """Where a value comes from."""

    def test_default(self) -> None:
        """What nobody sets has its default."""
        chosen = self.parsed("cronq-injector")
        self.assertEqual(chosen.rabbitmq_url, "amqp://guest:guest@localhost/")
        self.assertEqual(chosen.database_url, "mysql+pymysql://root@localhost/cronq")
        self.assertEqual((chosen.interval, chosen.verbose), (1.0, False))

    def test_order(self) -> None:
        """The option wins over the variable, the variable over the file."""
        self.environment["CRONQ_INTERVAL_FILE"] = self.file(b"2")
        self.assertEqual(self.parsed("cronq-injector").interval, 2)
        self.environment["CRONQ_INTERVAL"] = "3"
        self.assertEqual(self.parsed("cronq-injector").interval, 3)
        self.assertEqual(self.parsed("cronq-injector", "--interval", "4").interval, 4)

    def test_two_names(self) -> None:
        """`CRONQ_MYSQL` of 0.27 still counts, unless `DATABASE_URL` is there."""
        self.environment["CRONQ_MYSQL"] = "mysql://old@db/cronq"
        self.assertEqual(self.parsed("cronq-web").database_url, "mysql://old@db/cronq")
        self.environment["DATABASE_URL"] = "mysql://new@db/cronq"
        self.assertEqual(self.parsed("cronq-web").database_url, "mysql://new@db/cronq")

    def test_files(self) -> None:
        """Every variable may be given as a file, whose last line may end as lines do."""
        for variable, name, content in (
            ("DATABASE_URL", "database_url", "mysql://u:p\u00e4ss@db/cronq"),
            ("CRONQ_MYSQL", "database_url", "mysql://u:p@db/cronq"),
            ("SECRET_KEY", "secret_key", "s3cret"),
            ("PORT", "port", "80"),
        ):
            self.environment[f"{variable}_FILE"] = self.file(f"{content}\n".encode())
            self.assertEqual(str(getattr(self.parsed("cronq-web"), name)), content)
            del self.environment[f"{variable}_FILE"]

    def test_empty_variable(self) -> None:
        """An empty variable is as good as none, as environment files often have them."""
        self.environment |= {"PORT": "", "SECRET_KEY": "", "SECRET_KEY_FILE": "", "DEBUG": ""}
        chosen = self.parsed("cronq-web")
        self.assertEqual((chosen.port, chosen.secret_key, chosen.verbose), (5000, None, False))

    def test_flags(self) -> None:
        """A flag is an option without a value, and a variable with yes or no."""
        self.assertIs(self.parsed("cronq-runner", "--verbose").verbose, True)
        for text, expected in (("1", True), ("on", True), ("TRUE", True), ("no", False), ("0", False)):
            for variable in ("LOGGING_VERBOSE", "DEBUG"):
                self.environment[variable] = text
                self.assertIs(self.parsed("cronq-runner").verbose, expected)
                del self.environment[variable]
        self.environment["CRONQ_RUNNER_LOG_TO_STDOUT"] = "yes"
        self.assertIs(self.parsed("cronq-runner").log_to_stdout, True)

    def test_folders(self) -> None:
        """A folder is made if need be, and `~` is the home."""
        home = Path(self.environment["HOME"]).absolute()
        chosen = self.parsed("cronq-runner", "--log-path", "~/log/jobs", "--state-path", f"{home}/state")
        self.assertEqual((chosen.log_path, chosen.state_path), (home / "log" / "jobs", home / "state"))
        self.assertTrue(chosen.log_path.is_dir())
        self.assertTrue(chosen.state_path.is_dir())

    def test_endpoints(self) -> None:
        """The web listens on whatever Twisted has an endpoint for."""
        for text in ("tcp:5000", r"tcp:80:interface=\:\:1", "unix:/run/cronq/web.sock"):
            self.assertEqual(self.parsed("cronq-web", "--listen", text).listen, text)


class WrongValueTests(CommandLineCase):
    """Each wrong value is one line: the setting, the value, what is allowed."""

    def assertRefused(self, program: str, option: str, variable: str, value: str, allowed: str) -> None:
        """Whether it is given as an option, as a variable or as a file, it is refused in that way."""
        tail = f": the value {value!r} cannot be used: expected {allowed}"
        self.assertEqual(self.refused(program, f"--{option}={value}"), f"--{option}{tail}")
        for name, text in ((variable, value), (f"{variable}_FILE", self.file(value.encode()))):
            self.environment[name] = text
            self.assertEqual(self.refused(program), f"{name}{tail}")
            del self.environment[name]

    def test_numbers(self) -> None:
        """A number is written in digits and within bounds."""
        port = "a whole number from 0 to 65535"
        for value in ("65536", "-1", "5000x", "0x50", "1e3", "80.0", "\u0663", "9" * 5000):
            shown = value[:200]
            self.assertEqual(
                self.refused("cronq-web", f"--port={value}"),
                f"--port: the value {shown!r} cannot be used: expected {port}",
            )
        self.assertRefused("cronq-web", "port", "PORT", "eighty", port)
        self.assertRefused(
            "cronq-runner", "concurrency", "CRONQ_CONCURRENCY", "0", "a whole number from 1 to 10000"
        )
        self.assertRefused(
            "cronq-runner",
            "drain-seconds",
            "CRONQ_DRAIN_SECONDS",
            "forever",
            "a number of seconds from 0 to 604800",
        )
        for value in ("0", "nan", "inf", "3601"):
            self.assertRefused(
                "cronq-injector",
                "interval",
                "CRONQ_INTERVAL",
                value,
                "a number of seconds from 0.01 to 3600",
            )

    def test_bytes(self) -> None:
        """A number of bytes may be one of KiB, MiB or GiB; 0 stands for no limit."""
        expected = "a number of bytes such as 65536, 500M or 4G; 0 for no limit"
        for value in ("-1", "4GB", "1.5G", "all", "4 G", "9" * 13):
            self.assertRefused("cronq-runner", "log-limit", "CRONQ_LOG_LIMIT", value, expected)
        read = [byte_count(text) for text in ("0", "65536", "1K", "500M", "4G")]
        self.assertEqual(read, [0, 65536, 1024, 500 * 1024**2, 4 * 1024**3])

    def test_yes_or_no(self) -> None:
        """A flag's variable takes the usual words."""
        self.environment["DEBUG"] = "*"
        self.assertEqual(
            self.refused("cronq-web"),
            "DEBUG: the value '*' cannot be used: expected one of 1, true, yes, on or 0, false, no, off",
        )

    def test_names_of_queues(self) -> None:
        """A queue and a routing key have names that fit, and are not cronq's own or the broker's."""
        allowed = (
            "1 to 255 bytes, and not cronq_results, cronq_dead, cronq_heartbeats or amq.…, which are taken"
        )
        for value in ("cronq_results", "cronq_dead", "amq.direct", "\u00e4" * 128):
            self.assertRefused("cronq-runner", "queue", "CRONQ_QUEUE", value, allowed)
            self.assertRefused("cronq-runner", "routing-key", "CRONQ_ROUTING_KEYS", value, allowed)
        self.assertRefused("cronq-runner", "routing-key", "CRONQ_ROUTING_KEYS", "a,,b", allowed)
        self.assertIn("1 to 255 bytes", self.refused("cronq-runner", "--queue", ""))
        self.assertIn("1 to 255 bytes", self.refused("cronq-runner", "--queue", "\udcff"))

    def test_where_to_listen(self) -> None:
        """An address that is none, and an endpoint that nobody knows, are refused before anything starts."""
        self.assertRefused(
            "cronq-web",
            "listen-interface",
            "LISTEN_INTERFACE",
            "a:b=c",
            "an address of this machine such as 127.0.0.1 or ::1",
        )
        for value in ("", "5000", "tcp:http", "carrier-pigeon:1", "tcp:1:2:3:4:5", "ssl:443"):
            said = self.refused("cronq-web", f"--listen={value}")
            self.assertIn(
                f"--listen: the value {value!r} cannot be used: expected a Twisted endpoint such as tcp:",
                said,
            )

    def test_log_dashboard(self) -> None:
        """A link that a browser could run is none."""
        self.assertRefused(
            "cronq-web",
            "log-url-template",
            "CRONQ_LOG_URL_TEMPLATE",
            "javascript:alert(1)",
            "the address of a log dashboard, such as https://logs.example/?run={run_id}",
        )

    def test_folders(self) -> None:
        """A folder that cannot be used is named with the cause."""
        taken = self.file(b"")
        for value, cause in (
            (taken, "a folder that can be written to (File exists)"),
            (f"{taken}/below", "a folder that can be written to (Not a directory)"),
            ("/proc/cronq", "a folder that can be written to (No such file or directory)"),
            ("~nobody-of-this-name/x", "a folder (whose home ~ is meant is not known)"),
        ):
            self.assertRefused("cronq-runner", "log-path", "LOG_PATH", value, cause)
            self.assertRefused("cronq-runner", "state-path", "CRONQ_STATE_PATH", value, cause)

    def test_read_only_folder(self) -> None:
        """A folder that is there but cannot be written to is refused too."""
        self.patch(os, "access", lambda *_: False)
        self.assertIn("(permission denied)", self.refused("cronq-runner", "--log-path", str(self.folder())))

    def test_document_to_load(self) -> None:
        """A document that cannot be read, or that has faults, is refused with the cause."""
        for content, cause in ((b"{}", "category: missing; jobs: missing"), (b"{", "not JSON at line 1")):
            self.assertIn(cause, self.refused("cronq", "--load", self.file(content)))
        self.assertIn("(No such file or directory)", self.refused("cronq", "--load", "nowhere.json"))
        self.assertIn("(Is a directory)", self.refused("cronq", "--load", "/"))

    def test_unreadable_files(self) -> None:
        """A file that cannot be read is named with the cause."""
        binary = self.file(b"\xff\xfe")
        for path, cause in (
            ("/no/such/file", "No such file or directory"),
            ("/proc", "Is a directory"),
            (binary, "it is not UTF-8"),
        ):
            self.environment["SECRET_KEY_FILE"] = path
            self.assertEqual(self.refused("cronq-web"), f"SECRET_KEY_FILE: {path!r} cannot be read: {cause}")

    def test_no_home(self) -> None:
        """A runner whose user has no home has to be told a folder."""
        del self.environment["HOME"]
        self.patch(os, "getuid", lambda: 2**31 - 2)
        self.environment["CRONQ_STATE_PATH"] = "~/state"
        self.assertIn("whose home ~ is meant is not known", self.refused("cronq-runner"))


class SecretTests(CommandLineCase):
    """What is secret is not repeated, however wrong it is."""

    def test_database_url(self) -> None:
        """A wrong database URL is said to be wrong, but not shown."""
        for value in (
            "s3cret",
            "postgresql://u:s3cret@db/cronq",
            "mysql://u:s3c/r3t@db:x/cronq",
            "mysql://u:s3cret@db:port/cronq",
        ):
            self.assertSecret("cronq-web", "database-url", "DATABASE_URL", value, "a database URL such as")

    def test_rabbitmq_url(self) -> None:
        """So is a wrong broker URL."""
        for value in (
            "s3cret",
            "amqp://u:s3c/r3t@mq/",
            "amqp://u:s3cret@mq:port/",
            "amqp://u:s3cret@mq/?heartbeat=s3cret2",
            "http://u:s3cret@mq/",
            "amqp://u:s3cret@mq/?nonsense=1",
        ):
            self.assertSecret("cronq-injector", "rabbitmq-url", "RABBITMQ_URL", value, "a broker URL such as")

    def test_memory_broker(self) -> None:
        """The broker in process is for `cronq` only, and the line says so."""
        self.assertIn("memory:// is for `cronq`", self.refused("cronq-runner", "--rabbitmq-url", "memory://"))
        self.assertEqual(self.parsed("cronq").rabbitmq_url, "memory://")
        self.assertEqual(self.parsed("cronq", "--rabbitmq-url", "amqp://mq/").rabbitmq_url, "amqp://mq/")

    def test_secret_key(self) -> None:
        """A key must not be empty."""
        self.assertEqual(
            self.refused("cronq-web", "--secret-key", ""),
            "--secret-key: the value cannot be used: expected some text",
        )

    def assertSecret(self, program: str, option: str, variable: str, value: str, allowed: str) -> None:
        """Given as an option, a variable or a file, it is refused without a word of it."""
        self.assertHidden(self.refused(program, f"--{option}", value), f"--{option}", allowed)
        for name, text in ((variable, value), (f"{variable}_FILE", self.file(value.encode()))):
            self.environment[name] = text
            self.assertHidden(self.refused(program), name, allowed)
            del self.environment[name]

    def assertHidden(self, said: str, source: str, allowed: str) -> None:
        """The line names the source and what is allowed, and has no part of the secret."""
        self.assertTrue(said.startswith(f"{source}: the value cannot be used: expected {allowed}"), said)
        for secret in ("s3c", "r3t"):
            self.assertNotIn(secret, said)


class GuideTests(SynchronousTestCase):
    """docs/settings.md and the programs say the same."""

    nicknames: ClassVar = {"injector", "runner", "results", "web"}

    def settings(self) -> dict[str, dict[str, Setting]]:
        """The settings of each program, by option."""
        return {name: {each.option: each for each in options_of(name).settings} for name in PROGRAMS}

    def rows(self) -> list[list[str]]:
        lines = re.findall(r"^\|(.*)\|$", GUIDE.read_text(), re.MULTILINE)
        return [[cell.strip() for cell in line.split("|")] for line in lines][2:]

    def test_options_and_variables(self) -> None:
        """Every setting is in the guide, with its variables and its default, and nothing else is."""
        known = self.settings()["cronq"]
        found = set()
        for variables, options, default, _, _ in self.rows():
            names = re.findall(r"--([a-z-]+)", options)
            words = re.findall(r"`([A-Z_]+)`", variables)
            defaults = [part.strip("` ") for part in re.split("[,;]", default)]
            for index, name in enumerate(names):
                one = index if len(names) > 1 else slice(None)
                self.assertEqual(
                    known[name].variables, tuple(words[one]) if len(names) == 1 else (words[index],)
                )
                self.assertDefault(name, defaults[index])
            found |= set(names)
        self.assertEqual(found, set(known))

    def assertDefault(self, option: str, said: str) -> None:
        """The default that the guide names is that of the daemon which has the setting."""
        daemon = next(each[option] for each in self.settings().values() if option in each)
        if isinstance(daemon.default, str) and option != "concurrency":
            self.assertEqual(said, daemon.default)
        else:
            self.assertEqual(daemon.default is False, said == "off", option)

    def test_who(self) -> None:
        """The guide says right which daemons have a setting; `cronq` has them all."""
        settings = self.settings()
        for _, options, _, who, _ in self.rows():
            for name in re.findall(r"--([a-z-]+)", options):
                having = {each for each in self.nicknames if name in settings[f"cronq-{each}"]}
                said = self.nicknames if who == "all" else set(who.split(", ")) & self.nicknames
                self.assertEqual(having, said, name)

    def test_help(self) -> None:
        """`--help` of each program has each of its settings with its variables and its default."""
        for name, settings in self.settings().items():
            text = " ".join(str(options_of(name)).split())
            for setting in settings.values():
                self.assertIn(f"--{setting.option}", text)
                for variable in setting.variables:
                    self.assertRegex(text, rf"[\[ ]{variable}[],]")
                if isinstance(setting.default, str):
                    self.assertIn(f"(default: {setting.default})", text)
