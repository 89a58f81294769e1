"""`cronq`: the group of all commands, and what becomes of their errors."""

import os
import sys
from collections.abc import Sequence
from typing import TextIO

import click

from cronq import __version__
from cronq.commands.cli.apply import apply
from cronq.commands.cli.audit import audit
from cronq.commands.cli.exits import MEANINGS, CommandFailed, Exit
from cronq.commands.cli.export import export
from cronq.commands.cli.jobs import jobs, show
from cronq.commands.cli.kill import kill
from cronq.commands.cli.output import logs
from cronq.commands.cli.run import run
from cronq.commands.cli.runners import runners
from cronq.commands.cli.schedule import schedule
from cronq.commands.cli.session import Outside, Session, complain, tell, url_option
from cronq.commands.cli.slots import backfill, pause, resume, skip
from cronq.commands.cli.status import status
from cronq.commands.cli.tokens import tokens
from cronq.commands.cli.users import users
from cronq.commands.settings import BadSetting

PROGRAM = "cronq"
_CODES = "\b\nExit codes:\n" + "\n".join(
    f"  {code.value:>3}  {meaning}" for code, meaning in MEANINGS.items()
)
_NAMES = {"help_option_names": ["-h", "--help"]}


@click.group(
    epilog=_CODES,
    context_settings=_NAMES,
    commands=[
        apply,
        audit,
        backfill,
        export,
        jobs,
        kill,
        logs,
        pause,
        resume,
        run,
        runners,
        schedule,
        show,
        skip,
        status,
        tokens,
        users,
    ],
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
@url_option
def cronq() -> None:
    """See and change what cronq runs.

    It talks to the web of cronq over HTTP: say where that is with --url or CRONQ_URL, and who you are with a
    token in CRONQ_TOKEN. (Only audit, users and tokens work on the database itself, and schedule asks no
    one.) The daemons are started with `twistd -n cronq`, or one by one (cronq-injector, cronq-runner,
    cronq-results, cronq-web).
    """


def main(arguments: Sequence[str] | None = None, outside: Outside | None = None) -> int:
    """The console script; gives the exit code."""
    for stream in (sys.stdout, sys.stderr):
        _never_fail_to_encode(stream)
    try:
        return _call(sys.argv[1:] if arguments is None else arguments, Session(outside or Outside()))
    except OSError as error:  # click itself sees to a reader that went away, as in `cronq jobs | head`
        _drop_output()
        complain(f"cannot write what was asked for: {error.strerror}")
        return Exit.FAILURE


def _call(arguments: Sequence[str], session: Session) -> int:
    try:
        colour = False if os.environ.get("NO_COLOR") else None
        code = cronq.main(list(arguments), PROGRAM, standalone_mode=False, obj=session, color=colour)
        return int(code or Exit.OK)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return Exit.USAGE
    except click.UsageError as error:
        return _misused(error)
    except BadSetting as error:
        complain(str(error))
        return Exit.USAGE
    except CommandFailed as error:
        complain(str(error), error.hint)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        tell("cronq: stopped")
        return Exit.INTERRUPTED


def _misused(error: click.UsageError) -> Exit:
    path = error.ctx.command_path if error.ctx else PROGRAM
    complain(" ".join(error.format_message().split()), f"`{path} --help` says how it is used.")
    return Exit.USAGE


def _never_fail_to_encode(stream: TextIO) -> None:
    # A name may have characters that the terminal's encoding does not know.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    # Python writes what is left once more when it ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
