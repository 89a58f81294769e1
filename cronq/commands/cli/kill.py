"""`cronq kill`: ends a run, wherever it is."""

import click

from cronq.commands.cli.api import request_kill
from cronq.commands.cli.exits import Exit
from cronq.commands.cli.session import (
    Session,
    examples,
    json_option,
    reason_option,
    say,
    say_json,
    url_option,
)
from cronq.commands.cli.terminal import harmless


@click.command(
    epilog=examples(
        "cronq kill 01a207db4d2ba2dffbcb489d008d830f",
        "cronq kill 01a207db4d2ba2dffbcb489d008d830f --reason 'it hangs on a lock'",
    )
)
@click.argument("run")
@reason_option
@json_option
@url_option
@click.pass_obj
def kill(session: Session, run: str, reason: str | None, as_json: bool) -> int:
    """End a run: its command, when it is running, or the whole of it, when it has not started.

    RUN is the id of the run, as `cronq show JOB` lists it. The command gets SIGTERM, and SIGKILL after
    the grace of its job.
    """
    message = request_kill(session.server(), run, session.asking(reason))
    if as_json:
        say_json({"run_id": run, "message": message})
    else:
        say(harmless(message))
    return Exit.OK
