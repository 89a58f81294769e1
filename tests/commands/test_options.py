"""The command lines of the daemons: what is wrong is one line, what is asked for is answered."""

import sys

from twisted.scripts import twistd

from cronq import __version__
from cronq.commands.program import run_in_foreground
from cronq.commands.runner import queue_of
from tests.commands.case import PROGRAMS, CommandLineCase


class MisuseTests(CommandLineCase):
    """Command lines that make no sense."""

    def test_unknown_option(self) -> None:
        """An option that there is not is named, and where the others are listed."""
        for name in PROGRAMS:
            self.assertEqual(
                self.refused(name, "--colour"), f"option --colour not recognized (see {name} --help)"
            )

    def test_missing_value(self) -> None:
        """An option at the end that wants a value is named."""
        for option in ("--port", "--listen"):
            self.assertEqual(
                self.refused("cronq-web", option), f"option {option} requires argument (see cronq-web --help)"
            )
        for option in ("--routing-key", "--queue"):
            self.assertIn(f"option {option} requires argument", self.refused("cronq-runner", option))

    def test_value_of_a_flag(self) -> None:
        """A flag takes no value."""
        self.assertIn(
            "option --verbose must not have an argument", self.refused("cronq-web", "--verbose=yes")
        )

    def test_unexpected_argument(self) -> None:
        """A daemon takes nothing but options; what stands behind a word is not quietly ignored."""
        for name in PROGRAMS:
            self.assertIn("unexpected argument 'start'", self.refused(name, "start", "--verbose"))

    def test_ambiguous_abbreviation(self) -> None:
        """An abbreviation that could be two options is none."""
        self.assertIn("option --li not a unique prefix", self.refused("cronq-web", "--li", "x"))

    def test_one_line(self) -> None:
        """Nothing that is typed makes a second line, or is obeyed by the terminal."""
        said = self.refused("cronq-web", "--a\nb\x1b[2J\r\x85\u202e")
        self.assertEqual(said.count("\\"), 5, said)
        self.assertTrue(said.startswith(r"option --a\nb\x1b[2J\r\x85\u202e not recognized"), said)


class AnswerTests(CommandLineCase):
    """Questions to a program."""

    def test_version(self) -> None:
        """`--version` is that of cronq, whatever the environment holds."""
        self.environment["DEBUG"] = "nonsense"
        for name in PROGRAMS:
            error = self.assertRaises(SystemExit, self.parsed, name, "--version")
            self.assertEqual(error.code, 0)
            self.assertEqual(self.stdout.getvalue(), f"{name} {__version__}\n")
            self.stdout.truncate(0)
            self.stdout.seek(0)

    def test_help(self) -> None:
        """`--help` begins with how the program is called, and ends it well even when a variable is wrong."""
        self.environment["DEBUG"] = "nonsense"
        for name in PROGRAMS:
            error = self.assertRaises(SystemExit, self.parsed, name, "--help")
            self.assertEqual(error.code, 0)
        self.assertEqual(
            [line for line in self.stdout.getvalue().splitlines() if line.startswith("Usage")],
            [f"Usage: {name} [options]" for name in PROGRAMS],
        )


class RoutingKeyTests(CommandLineCase):
    """Which queue a runner consumes, and by which keys."""

    def queue(self, *arguments: str) -> tuple[str, tuple[str, ...]]:
        queue = queue_of(self.parsed("cronq-runner", *arguments))
        return queue.name, queue.routing_keys

    def test_default(self) -> None:
        """The usual queue has the key `default`, any other its own name."""
        self.assertEqual(self.queue(), ("cronq_jobs", ("default",)))
        self.assertEqual(self.queue("--queue", "storage"), ("storage", ("storage",)))

    def test_repeated(self) -> None:
        """The option may be repeated, abbreviated as any, and hold several keys; each counts once."""
        for arguments in (
            ["--routing-key", "a", "--routing-key=b"],
            ["--routing", "a", "--rout=b"],
            ["--routing-key", "a,b"],
            ["--routing-key", "a, b", "--routing-key", "a"],
        ):
            self.assertEqual(self.queue("--queue", "q", *arguments), ("q", ("a", "b")))

    def test_variable(self) -> None:
        """The variable has several keys with commas between them; the option replaces them all."""
        self.environment |= {"CRONQ_QUEUE": "q", "CRONQ_ROUTING_KEYS": "a, b,c"}
        self.assertEqual(self.queue(), ("q", ("a", "b", "c")))
        self.assertEqual(self.queue("--routing-key", "d"), ("q", ("d",)))

    def test_value_that_looks_like_an_option(self) -> None:
        """What follows an option is its value, whatever it looks like."""
        self.assertEqual(self.queue("--queue", "--routing-key"), ("--routing-key", ("--routing-key",)))


class ForegroundTests(CommandLineCase):
    """The console scripts."""

    def test_as_twistd(self) -> None:
        """A console script is twistd in the foreground, without a pidfile, with the same options."""
        called: list[list[str]] = []
        self.patch(sys, "argv", ["/usr/bin/cronq-web", "--port", "80"])
        self.patch(twistd, "run", lambda: called.append(sys.argv))
        run_in_foreground("cronq-web")
        self.assertEqual(called, [["twistd", "--nodaemon", "--pidfile=", "cronq-web", "--port", "80"]])
