"""The command line of the daemons: options from settings, and one clear line for what is wrong with them."""

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, ClassVar

from twisted.python import usage

from cronq import __version__
from cronq.commands.logs import DAEMON_LOG, one_line
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
        cls.optFlags = [[each.option, None, _described(each)] for each in cls.settings if each.flag]
        cls.optParameters = [
            [each.option, None, None, _described(each)]
            for each in cls.settings
            if not each.flag and not each.repeatable
        ]
        for each in cls.settings:
            if each.repeatable:
                setattr(cls, f"opt_{each.name}", _collector(each))

    def __init__(self) -> None:
        self.chosen = SimpleNamespace()
        self.collected: dict[str, list[str]] = {}
        usage.Options.__init__(self)

    def parseOptions(self, options: Any = None) -> None:
        """Parse; ends the program with one line when something is wrong."""
        try:
            usage.Options.parseOptions(self, options)
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
        print(one_line(f"{self.program}: {sentence}"), file=sys.stderr)
        return SystemExit(EXIT_USAGE)

    def _given(self, setting: Setting) -> Any:
        if setting.repeatable:
            return self.collected.get(setting.name)
        value = self[setting.option]
        if setting.flag:
            return "yes" if value else None
        return value


def _collector(setting: Setting) -> Callable[[DaemonOptions, str], None]:
    """The method that takes a repeatable option: for a parameter, the parser keeps only its last value."""

    def collect(self: DaemonOptions, value: str) -> None:
        self.collected.setdefault(setting.name, []).append(value)

    collect.__doc__ = _described(setting)
    return collect


def _described(setting: Setting) -> str:
    variables = f" [{', '.join(setting.variables)}]" if setting.variables else ""
    default = f" (default: {setting.default})" if isinstance(setting.default, str) else ""
    return f"{setting.what}{variables}{default}"
