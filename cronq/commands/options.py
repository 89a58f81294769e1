"""The command line of the daemons: options from settings, and one clear line for what is wrong with them."""

import os
import sys
from types import SimpleNamespace
from typing import Any, ClassVar

from twisted.python import usage

from cronq import __version__
from cronq.commands.logs import DAEMON_LOG
from cronq.commands.settings import BadSetting, Setting, read_setting

EXIT_USAGE = 2


class DaemonOptions(usage.Options):
    """Options of one daemon: its settings, from the command line or the environment.

    After parsing, `chosen` has an attribute for each setting.
    """

    #: The name of the program; also its name for twistd.
    program: ClassVar[str]
    settings: ClassVar[tuple[Setting, ...]]
    optFlags: ClassVar[list[list[Any]]]
    optParameters: ClassVar[list[list[Any]]]

    def __init_subclass__(cls) -> None:
        cls.optFlags = [[each.option, None, each.what] for each in cls.settings if each.flag]
        cls.optParameters = [
            [each.option, None, None, _described(each)] for each in cls.settings if not each.flag
        ]

    def __init__(self) -> None:
        self.chosen = SimpleNamespace()
        self._collected: dict[str, list[str]] = {}
        usage.Options.__init__(self)

    def parseOptions(self, options: Any = None) -> None:
        """Parse; ends the program with one line when something is wrong."""
        arguments = list(sys.argv[1:] if options is None else options)
        try:
            usage.Options.parseOptions(self, self._collect(arguments))
        except usage.UsageError as error:
            raise self.refused(f"{error} (see {self.program} --help)") from error

    def parseArgs(self, *arguments: str) -> None:
        """A daemon takes options only."""
        if arguments:
            raise usage.UsageError(f"unexpected argument {arguments[0]!r}")

    def postOptions(self) -> None:
        """Work out every setting."""
        for setting in self.settings:
            try:
                value = read_setting(setting, self._given(setting), os.environ)
            except BadSetting as error:
                raise self.refused(str(error)) from error
            setattr(self.chosen, setting.name, value)
        DAEMON_LOG.choose(self.parent, verbose=self.chosen.verbose)

    def opt_version(self) -> None:
        """Print the version and exit."""
        print(f"{self.program} {__version__}")
        raise SystemExit(0)

    def getSynopsis(self) -> str:
        """The first line of `--help`."""
        return f"Usage: {self.program} [options]"

    def refused(self, sentence: str) -> SystemExit:
        """Says what is wrong, in one line; raise what it gives."""
        print(f"{self.program}: {' '.join(sentence.split())}", file=sys.stderr)
        return SystemExit(EXIT_USAGE)

    def _collect(self, arguments: list[str]) -> list[str]:
        """Take repeatable options out, since the parser keeps only the last of them."""
        left: list[str] = []
        names = {f"--{each.option}": each.name for each in self.settings if each.repeatable}
        rest = iter(arguments)
        for argument in rest:
            option, equals, value = argument.partition("=")
            if option not in names:
                left.append(argument)
                continue
            if not equals and (value := next(rest, "")) == "":
                raise usage.UsageError(f"option {option} requires argument")
            self._collected.setdefault(names[option], []).append(value)
        return left

    def _given(self, setting: Setting) -> Any:
        if setting.repeatable:
            return self._collected.get(setting.name)
        value = self[setting.option]
        if setting.flag:
            return "yes" if value else None
        return value


def _described(setting: Setting) -> str:
    variables = f" [{', '.join(setting.variables)}]" if setting.variables else ""
    default = f" (default: {setting.default})" if isinstance(setting.default, str) else ""
    return f"{setting.what}{variables}{default}"
