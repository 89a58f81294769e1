"""`cronq run`: asks for a run now, and waits for its end or shows what it writes when that is wanted."""

import math

import click

from cronq.commands.cli.answers import Job
from cronq.commands.cli.api import find_job, request_run
from cronq.commands.cli.exits import Exit
from cronq.commands.cli.following import follow_run
from cronq.commands.cli.server import Server
from cronq.commands.cli.session import (
    Session,
    examples,
    json_option,
    reason_option,
    say,
    say_json,
    tell,
    url_option,
)
from cronq.commands.cli.terminal import harmless
from cronq.commands.cli.waiting import Patience, Stopwatch, await_run
from cronq.commands.cli.words import outcome
from cronq.commands.cli.writing import Writer


def _variables(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    found = {}
    for value in values:
        name, sign, text = value.partition("=")
        if not (name and sign):
            raise click.BadParameter(f"expected NAME=VALUE, found {value!r}")
        found[name] = text
    return found


def _seconds(_context: click.Context, _parameter: click.Parameter, seconds: float | None) -> float | None:
    if seconds is not None and not 0 <= seconds < math.inf:  # which refuses nan as well
        raise click.BadParameter(f"expected a number of seconds from 0 on, found {seconds}")
    return seconds


@click.command(
    epilog=examples(
        "cronq run 12",
        "cronq run example/backup --wait",
        "cronq run example/backup --follow",
        "cronq run example/backup --wait --timeout 3600 && echo 'it is backed up'",
        "cronq run example/import --reason 'the file came late' --env DAY=2026-11-22 -- --force",
    )
)
@click.argument("job")
@click.argument("arguments", nargs=-1)
@reason_option
@click.option(
    "--env",
    "variables",
    multiple=True,
    callback=_variables,
    metavar="NAME=VALUE",
    help="A variable for the environment of the command; may be repeated.",
)
@click.option("--wait", is_flag=True, help="Wait until the run has ended; the exit code says how.")
@click.option("--follow", "-f", is_flag=True, help="Wait like that, and show what the run writes.")
@click.option(
    "--timeout",
    type=float,
    callback=_seconds,
    metavar="SECONDS",
    help="With --wait: wait no longer than that. The run goes on.",
)
@json_option
@url_option
@click.pass_obj
def run(
    session: Session,
    job: str,
    arguments: tuple[str, ...],
    reason: str | None,
    variables: dict[str, str],
    wait: bool,
    follow: bool,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Ask for one run of a job now, besides its schedule.

    JOB is its id, or its category and name as in example/backup. ARGUMENTS are $1 and so on in its command.
    With --wait or --follow the exit code is 0 when the run succeeded, 1 when it did not, and 124 when the
    time is up.
    """
    if timeout is not None and (follow or not wait):
        raise click.UsageError("--timeout goes with --wait" + (", and not with --follow" if follow else ""))
    if follow and as_json:
        raise click.UsageError("--follow shows what the command writes, so it does not go with --json")
    server = session.server()
    found = find_job(server, job)
    given = {"environment": variables, "arguments": list(arguments)}
    request = session.asking(reason) | {key: value for key, value in given.items() if value}
    requested = request_run(server, found, request)
    asked = f"Asked for a run of {found.title} (job {found.id})"
    if wait or follow:
        tell(f"{asked}.")
        stopwatch = Stopwatch(session.outside.monotonic, session.outside.sleep, timeout)
        if follow and requested.run_id is not None:
            return _follow(server, found, requested.run_id, stopwatch)
        return _wait(server, found, requested.run_id, stopwatch, as_json=as_json)
    if as_json:
        run_id = {} if requested.run_id is None else {"run_id": requested.run_id}
        say_json({"job_id": found.id, "message": requested.message} | run_id)
    else:
        named = "" if requested.run_id is None else f": run {requested.run_id}"
        say(harmless(f"{asked}{named}; `cronq show {found.id}` shows what becomes of it."))
    return Exit.OK


def _follow(server: Server, job: Job, run_id: str, stopwatch: Stopwatch) -> Exit:
    writer = Writer(as_json=False)
    try:
        ended = follow_run(server, run_id, writer, Patience(stopwatch, was_there=True))
    except KeyboardInterrupt:
        writer.end_lines()
        _tell_that_it_goes_on(job)
        raise
    # What the command wrote has standard output for itself.
    tell(f"run {ended.id}: {outcome(ended)}")
    return Exit.OK if ended.succeeded else Exit.FAILURE


def _tell_that_it_goes_on(job: Job) -> None:
    tell(f"It is not called off; `cronq show {job.id}` shows what becomes of it.")


def _wait(server: Server, job: Job, run_id: str | None, stopwatch: Stopwatch, *, as_json: bool) -> Exit:
    try:
        ended = await_run(server, job, run_id, stopwatch)
    except KeyboardInterrupt:
        _tell_that_it_goes_on(job)
        raise
    if as_json:
        say_json(ended.raw)
    else:
        say(f"run {harmless(ended.id)}: {outcome(ended)}")
    return Exit.OK if ended.succeeded else Exit.FAILURE
