"""`cronq pause`, `resume`, `skip` and `backfill`: what is done to the slots of a job."""

from typing import Any

import click

from cronq.commands.cli.api import do_to_job, find_job
from cronq.commands.cli.exits import Exit
from cronq.commands.cli.session import Session, examples, json_option, say, say_json, url_option
from cronq.commands.cli.terminal import harmless


@click.command(
    epilog=examples("cronq pause example/backup --until PT2H --reason 'the disk is full'", "cronq pause 12")
)
@click.argument("job")
@click.option("--until", metavar="WHEN", help="Its end: a date or time, or how long from now, as in PT2H.")
@click.option("--reason", metavar="TEXT", help="Why; it stands beside each slot that is skipped.")
@json_option
@url_option
@click.pass_obj
def pause(session: Session, job: str, until: str | None, reason: str | None, as_json: bool) -> int:
    """Skip the slots of a job from now on, until it is resumed.

    JOB is its id, or its category and name as in example/backup. What runs goes on; runs by hand go on, too.
    """
    return _do(session, job, "pause", {"until": until, "reason": reason}, as_json=as_json)


@click.command(epilog=examples("cronq resume example/backup", "cronq resume 12"))
@click.argument("job")
@json_option
@url_option
@click.pass_obj
def resume(session: Session, job: str, as_json: bool) -> int:
    """End a pause.

    JOB is its id, or its category and name as in example/backup.
    """
    return _do(session, job, "resume", {}, as_json=as_json)


@click.command(epilog=examples("cronq skip example/backup", "cronq skip example/backup --undo"))
@click.argument("job")
@click.option("--undo", is_flag=True, help="Let it run after all.")
@json_option
@url_option
@click.pass_obj
def skip(session: Session, job: str, undo: bool, as_json: bool) -> int:
    """Skip the next slot of a job, once.

    JOB is its id, or its category and name as in example/backup.
    """
    return _do(session, job, "unskip-next" if undo else "skip-next", {}, as_json=as_json)


@click.command(
    epilog=examples(
        "cronq backfill example/backup --from P7D",
        "cronq backfill example/backup --from 2026-11-01 --to 2026-11-08 --newest-first --at-once 4",
    )
)
@click.argument("job")
@click.option("--from", "since", required=True, metavar="WHEN", help="A date or time, or how long ago.")
@click.option("--to", "until", metavar="WHEN", help="The same; now, when absent.")
@click.option("--newest-first", is_flag=True, help="Not the oldest first.")
@click.option("--at-once", type=int, default=1, metavar="COUNT", help="How many may be open at once (1).")
@click.option("--reason", metavar="TEXT", help="Why.")
@json_option
@url_option
@click.pass_obj
def backfill(
    session: Session,
    job: str,
    since: str,
    until: str | None,
    newest_first: bool,
    at_once: int,
    reason: str | None,
    as_json: bool,
) -> int:
    """Run the slots of a time that have not run, each once.

    JOB is its id, or its category and name as in example/backup.
    """
    order = "newest" if newest_first else "oldest"
    said = {"from": since, "to": until, "order": order, "at_once": at_once, "reason": reason}
    return _do(session, job, "backfill", said, as_json=as_json)


def _do(session: Session, job: str, deed: str, said: dict[str, Any], *, as_json: bool) -> int:
    server = session.server()
    found = find_job(server, job)
    asked = session.asking(said.pop("reason", None)) | said
    message = do_to_job(
        server, found, deed, {key: value for key, value in asked.items() if value is not None}
    )
    if as_json:
        say_json({"job_id": found.id, "message": message})
    else:
        say(harmless(message))
    return Exit.OK
