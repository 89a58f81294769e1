"""`cronq run`: asks for a run now, and waits for its end when that is wanted."""

import click

from cronq.commands.cli.answers import Job
from cronq.commands.cli.api import find_job, request_run
from cronq.commands.cli.exits import Exit
from cronq.commands.cli.server import Server
from cronq.commands.cli.session import Session, examples, json_option, say, say_json, tell, url_option
from cronq.commands.cli.terminal import harmless
from cronq.commands.cli.waiting import Stopwatch, await_run
from cronq.commands.cli.words import outcome


@click.command(
    epilog=examples(
        "cronq run 12",
        "cronq run example/backup --wait",
        "cronq run example/backup --wait --timeout 3600 && echo 'it is backed up'",
    )
)
@click.argument("job")
@click.option("--wait", is_flag=True, help="Wait until the run has ended; the exit code says how.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="With --wait: wait no longer than that. The run goes on.",
)
@json_option
@url_option
@click.pass_obj
def run(session: Session, job: str, wait: bool, timeout: float | None, as_json: bool) -> int:
    """Ask for one run of a job now, besides its schedule.

    JOB is its id, or its category and name as in example/backup. With --wait the exit code is 0 when the run
    succeeded, 1 when it did not, and 124 when the time is up.
    """
    if timeout is not None and not wait:
        raise click.UsageError("--timeout goes with --wait")
    server = session.server()
    found = find_job(server, job)
    message = request_run(server, found)
    asked = f"Asked for a run of {found.title} (job {found.id})"
    if wait:
        tell(f"{asked}.")
        return _wait(
            server,
            found,
            Stopwatch(session.outside.monotonic, session.outside.sleep, timeout),
            as_json=as_json,
        )
    if as_json:
        say_json({"job_id": found.id, "message": message})
    else:
        say(harmless(f"{asked}; `cronq show {found.id}` shows what becomes of it."))
    return Exit.OK


def _wait(server: Server, job: Job, stopwatch: Stopwatch, *, as_json: bool) -> Exit:
    try:
        ended = await_run(server, job, stopwatch)
    except KeyboardInterrupt:
        tell(f"It is not called off; `cronq show {job.id}` shows what becomes of it.")
        raise
    if as_json:
        say_json(ended.raw)
    else:
        say(f"run {harmless(ended.id)}: {outcome(ended)}")
    return Exit.OK if ended.succeeded else Exit.FAILURE
