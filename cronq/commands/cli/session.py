"""One call of the command line: what it is given from outside, and what it says."""

import getpass
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import click

from cronq.commands.cli.connection import Listen, Send, bearer, listen, parse_address, send
from cronq.commands.cli.server import Server
from cronq.commands.cli.terminal import harmless
from cronq.commands.settings import Setting, read_setting

URL = Setting(
    "url", ("CRONQ_URL",), parse_address, "http://127.0.0.1:5000/", "where the web of cronq is", secret=True
)
TOKEN = Setting("token", ("CRONQ_TOKEN",), bearer, None, "shows the web who asks", secret=True)


def terminal_width() -> int | None:
    """How many columns the terminal has; None when the output goes somewhere else."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def utc_now() -> datetime:
    """What this machine thinks the time is."""
    return datetime.now(UTC).replace(tzinfo=None)


def user_name() -> str | None:
    """Who sits at this machine, and which it is; None when nobody says so."""
    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Outside:
    """What a command needs from outside; tests give it something else."""

    send: Send = send
    listen: Listen = listen
    now: Callable[[], datetime] = utc_now
    #: Seconds, from some instant on.
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    width: Callable[[], int | None] = terminal_width
    user: Callable[[], str | None] = user_name


@dataclass(slots=True)
class Session:
    """What all commands of one call share."""

    outside: Outside = field(default_factory=Outside)
    #: As it was given on the command line.
    url: str | None = None

    def server(self) -> Server:
        """The server that is meant; raises `BadSetting` when its address is none."""
        address = read_setting(URL, self.url, os.environ)
        token = read_setting(TOKEN, None, os.environ)
        if token is not None:
            address = replace(address, authorization=token)
        return Server(address, self.outside.send, self.outside.listen, self.outside.now)

    def asking(self, reason: str | None) -> dict[str, str]:
        """What is said to the server of who asks, and why."""
        said = {"by": self.outside.user(), "reason": reason}
        return {key: value for key, value in said.items() if value}


def url_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --url: it may stand before the name of the command and behind it."""
    return click.option(
        "--url",
        metavar="URL",
        expose_value=False,
        callback=_keep_url,
        help=f"Where the web of cronq is.  [CRONQ_URL; default: {URL.default}]",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --json."""
    what = "Print JSON: one object a line."
    return click.option("--json", "as_json", is_flag=True, help=what)(command)


def reason_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --reason."""
    what = "Why, for those who look at the run later."
    return click.option("--reason", metavar="TEXT", help=what)(command)


def examples(*lines: str) -> str:
    """The end of a command's --help."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def say(lines: str | Iterable[str]) -> None:
    """Print what was asked for, on standard output; whatever is in it must be harmless."""
    for line in [lines] if isinstance(lines, str) else lines:
        click.echo(line)


def say_json(data: Any) -> None:
    """Print one object in one line of ASCII."""
    click.echo(json.dumps(data))


def tell(message: str) -> None:
    """Say something beside what was asked for, on standard error."""
    click.echo(harmless(message), err=True)


def complain(message: str, hint: str = "") -> None:
    """Say what is wrong, and what to do about it."""
    tell(f"cronq: {message}")
    if hint:
        tell(hint)


def _keep_url(context: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.ensure_object(Session).url = value
