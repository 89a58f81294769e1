"""Command lines of the daemons, parsed in this process."""

import importlib
import os
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from cronq.commands.options import DaemonOptions

PROGRAMS = {
    "cronq-injector": "injector",
    "cronq-runner": "runner",
    "cronq-results": "results",
    "cronq-web": "web",
    "cronq": "all_in_one",
}
"""Each daemon, and its module."""


def options_of(program: str) -> DaemonOptions:
    """The command line of a daemon, not yet parsed."""
    module: Any = importlib.import_module(f"cronq.commands.{PROGRAMS[program]}")
    return cast("DaemonOptions", module.Options())


class CommandLineCase(SynchronousTestCase):
    """Parses command lines in an environment that has nothing but what a test puts there."""

    def setUp(self) -> None:
        self.environment = {"HOME": self.mktemp()}
        self.patch(os, "environ", self.environment)
        self.stdout, self.stderr = StringIO(), StringIO()
        self.patch(sys, "stdout", self.stdout)
        self.patch(sys, "stderr", self.stderr)

    def parsed(self, program: str, *arguments: str) -> SimpleNamespace:
        """The settings that a command line comes to."""
        options = options_of(program)
        options.parseOptions(arguments)
        return options.chosen

    def refused(self, program: str, *arguments: str) -> str:
        """The one line with which a command line is refused, without the name of the program."""
        error = self.assertRaises(SystemExit, self.parsed, program, *arguments)
        self.assertEqual((error.code, self.stdout.getvalue()), (2, ""))
        said = self.stderr.getvalue()
        self.stderr.truncate(0)
        self.stderr.seek(0)
        self.assertEqual(said.count("\n"), 1, said)
        self.assertTrue(said.startswith(f"{program}: "), said)
        return said.removeprefix(f"{program}: ").removesuffix("\n")

    def folder(self) -> Path:
        """A new folder."""
        path = Path(self.mktemp())
        path.mkdir()
        return path

    def file(self, text: bytes) -> str:
        """The path of a new file."""
        path = Path(self.mktemp())
        path.write_bytes(text)
        return str(path)
