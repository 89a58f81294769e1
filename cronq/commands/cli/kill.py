"""`cronq kill`: ends a run, wherever it is."""

import click

from cronq.commands.cli.api import find_job, is_run_id, open_runs, request_kill
from cronq.commands.cli.exits import CommandFailed, Exit
from cronq.commands.cli.server import Server
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

#: So many runs are named of which one has to be chosen.
_NAMED = 20


@click.command(
    epilog=examples(
        "cronq kill 01a207db4d2ba2dffbcb489d008d830f",
        "cronq kill example/backup",
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

    RUN is its id, as `cronq show JOB` lists it, or a job that has one run which is not over. The command gets
    SIGTERM, and SIGKILL after the grace of its job.
    """
    if not run.strip():
        raise click.UsageError("say which run: its id, or its job as in example/backup")
    server = session.server()
    run_id = run if is_run_id(run) else _only_run(server, run)
    message = request_kill(server, run_id, session.asking(reason))
    if as_json:
        say_json({"run_id": run_id, "message": message})
    else:
        say(harmless(message))
    return Exit.OK


def _only_run(server: Server, text: str) -> str:
    job = find_job(server, text)
    found = open_runs(server, job)
    if not found:
        hint = f"`cronq show {job.id}` lists its latest runs."
        raise CommandFailed(f"no run of {job.title} is under way", Exit.CONFLICT, hint)
    if len(found) > 1:
        named = ", ".join(f"{run.id} ({run.status})" for run in found[:_NAMED])
        more = " …" if len(found) > _NAMED else ""
        raise CommandFailed(
            f"several runs of {job.title} are under way", Exit.CONFLICT, f"Say the id of one: {named}{more}"
        )
    return found[0].id
