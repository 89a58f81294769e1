"""`cronq logs`: what a run has written, and what it writes."""

from urllib.parse import quote

import click

from cronq.commands.cli.api import find_job, is_run_id
from cronq.commands.cli.exits import CommandFailed, Exit
from cronq.commands.cli.following import follow_run
from cronq.commands.cli.server import Server
from cronq.commands.cli.session import Session, examples, json_option, tell, url_option
from cronq.commands.cli.terminal import harmless
from cronq.commands.cli.waiting import Patience, Stopwatch
from cronq.commands.cli.words import outcome
from cronq.commands.cli.writing import Writer


@click.command(
    epilog=examples(
        "cronq logs 01a207db4d2ba2dffbcb489d008d830f",
        "cronq logs example/backup",
        "cronq logs example/backup --follow",
    )
)
@click.argument("run")
@click.option("--follow", "-f", is_flag=True, help="Go on with what it writes, until it has ended.")
@json_option
@url_option
@click.pass_obj
def logs(session: Session, run: str, follow: bool, as_json: bool) -> int:
    """Print what a run has written.

    RUN is its id, or a job, whose latest run is meant. Of one that has ended it is what is kept of it, of one
    that runs what there is until now.
    """
    server = session.server()
    run_id = run if is_run_id(run) else _latest_run(server, run)
    writer = Writer(as_json=as_json)
    if not follow:
        _write_output(server, run_id, writer)
        return Exit.OK
    try:
        stopwatch = Stopwatch(session.outside.monotonic, session.outside.sleep, None)
        ended = follow_run(server, run_id, writer, Patience(stopwatch, was_there=False))
    except KeyboardInterrupt:
        writer.end_lines()
        tell(f"Run {run_id} is left as it is.")
        raise
    tell(f"run {harmless(ended.id)}: {outcome(ended)}")
    return Exit.OK


def _latest_run(server: Server, text: str) -> str:
    job = find_job(server, text)
    if not job.runs:
        raise CommandFailed(f"{job.title} has not run yet", Exit.NOT_FOUND, f"`cronq run {job.id}` runs it.")
    return job.runs[0].id


def _write_output(server: Server, run_id: str, writer: Writer) -> None:
    data = server.get(f"api/runs/{quote(run_id, safe='')}/output")
    try:
        found = data["data"]["output"]
        position = 0
        for part in found["parts"]:
            if part["from"] > position:
                writer.write({"from": position, "to": part["from"]})
            writer.write(part)
            position = part["to"]
        remark = found["remark"]
    except (KeyError, TypeError, ValueError) as error:
        raise server.not_cronq("tells of output in another way than its API") from error
    writer.end_lines()
    if remark:
        tell(str(remark))
    elif not found["size"]:
        tell(f"Run {run_id} has written nothing{'' if found['status'] == 'succeeded' else ' that is kept'}.")
