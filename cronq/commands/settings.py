"""Settings: where each comes from, what it may be, and what is said when it is not that."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cronq.domain.errors import CronqError

Parse = Callable[[str], Any]


class BadSetting(CronqError):
    """A setting with a value that cannot be used; the text names it, the value and what is allowed."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that an operator decides."""

    #: What the code calls it; the option is the same with dashes.
    name: str
    #: Environment variables, the first that is set counts. Each may also be given as a file: NAME_FILE.
    variables: tuple[str, ...]
    #: From text to value; raises ValueError with what is allowed instead ("a whole number from 1 to 9").
    parse: Parse
    #: Value when it is not given; a text is parsed, anything else taken as it is.
    default: Any
    #: For `--help`.
    what: str
    #: A flag has no argument on the command line; a repeatable option collects several.
    flag: bool = False
    repeatable: bool = False
    #: A secret value is not repeated in messages.
    secret: bool = False

    @property
    def option(self) -> str:
        """Its long option, without the dashes."""
        return self.name.replace("_", "-")


def read_setting(setting: Setting, given: Any, environment: Mapping[str, str]) -> Any:
    """The value of a setting: from the option if it is `given`, else the environment, a file, the default.

    Raises `BadSetting`.
    """
    if given is not None:
        return _parsed(setting, f"--{setting.option}", given)
    for variable in setting.variables:
        if environment.get(variable):
            return _parsed(setting, variable, environment[variable])
        if environment.get(f"{variable}_FILE"):
            return _parsed(setting, f"{variable}_FILE", _content(variable, environment[f"{variable}_FILE"]))
    if isinstance(setting.default, str):
        return setting.parse(setting.default)
    return setting.default


def _parsed(setting: Setting, source: str, text: Any) -> Any:
    values = text if isinstance(text, list) else [text]
    try:
        parsed = [setting.parse(value) for value in values]
    except ValueError as error:
        shown = "" if setting.secret else f" {', '.join(values)[:200]!r}"
        raise BadSetting(f"{source}: the value{shown} cannot be used: expected {error}") from error
    return tuple(parsed) if setting.repeatable and isinstance(text, list) else parsed[0]


def _content(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise BadSetting(f"{variable}_FILE: {path!r} cannot be read: {why}") from error


def text(value: str) -> str:
    """Any text but none."""
    if not value:
        raise ValueError("some text")
    return value


def yes_or_no(value: str) -> bool:
    """As people write it in environment files."""
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("one of 1, true, yes, on or 0, false, no, off")


def whole_number(least: int, most: int) -> Parse:
    """A whole number within bounds."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value) or not least <= int(value) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(value)

    return parse


def seconds(least: float, most: float) -> Parse:
    """A number of seconds within bounds."""

    def parse(value: str) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value) or not least <= float(value) <= most:
            raise ValueError(f"a number of seconds from {least:g} to {most:g}")
        return float(value)

    return parse


def byte_count(value: str) -> int:
    """A number of bytes, or of so many KiB, MiB or GiB."""
    found = re.fullmatch(r"([0-9]{1,12})([KMG]?)", value)
    if found is None:
        raise ValueError("a number of bytes such as 65536, 500M or 4G; 0 for no limit")
    return int(found[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[found[2]]


def is_amqp_word(value: str) -> bool:
    """Whether it can be a name of a queue or a routing key: 1 to 255 bytes (AMQP 0-9-1, short string)."""
    try:
        return 0 < len(value.encode()) < 1 << 8
    except UnicodeEncodeError:  # it was not UTF-8 on the command line
        return False


def log_folder() -> Path:
    """Where job logs go when no one says where."""
    usual = Path("/var/log/cronq")
    return usual if usual.is_dir() and os.access(usual, os.W_OK | os.X_OK) else Path("/tmp")  # noqa: S108


def state_folder() -> Path:
    """Where the state is kept when no one says where."""
    usual = Path("/var/lib/cronq")
    if usual.is_dir() and os.access(usual, os.W_OK | os.X_OK):
        return usual
    return Path("~/.local/state/cronq")


def folder(value: str) -> Path:
    """A folder that can be written to; made if it is not there."""
    try:
        path = Path(value).expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True)
    except RuntimeError as error:
        raise ValueError("a folder (whose home ~ is meant is not known)") from error
    except OSError as error:
        raise ValueError(f"a folder that can be written to ({error.strerror})") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ValueError("a folder that can be written to (permission denied)")
    return path
