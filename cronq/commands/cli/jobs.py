"""`cronq jobs` and `cronq show`: what there is and how it stands with it."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, repeat

import click

from cronq.commands.cli.answers import Job, Run
from cronq.commands.cli.api import check_category, find_job, list_jobs
from cronq.commands.cli.server import Server
from cronq.commands.cli.session import Session, examples, json_option, say, say_json, tell, url_option
from cronq.commands.cli.terminal import Column, harmless, table
from cronq.commands.cli.words import ago, at, painted, schedule_phrase, status_word
from cronq.domain.rules import rules_in_words
from cronq.web.words.times import duration

_JOB_COLUMNS = (
    Column("ID", right=True),
    Column("CATEGORY", least=8),
    Column("NAME", least=12),
    Column("SCHEDULE", least=14, expendable=2),
    Column("STATUS", paint=painted),
    Column("LAST RUN", expendable=1),
    Column("NEXT RUN"),
    Column("ROUTING KEY", least=11, expendable=3),
)
#: Of the names beside the values of a job, unless there is a longer one.
_LEAST_WIDTH = 13
_RUN_COLUMNS = (
    Column("SLOT"),
    Column("STATUS", paint=painted),
    Column("STARTED", expendable=2),
    Column("TOOK", expendable=3),
    Column("EXIT", right=True),
    Column("HOST", least=8, expendable=4),
    Column("REASON", least=10, expendable=1),
    Column("RUN", expendable=5),
)


@click.command(
    epilog=examples(
        "cronq jobs", "cronq jobs --category example --search backup", "cronq jobs --json | jq .name"
    )
)
@click.option("--category", metavar="NAME", help="Only the jobs of this category.")
@click.option("--search", default="", metavar="TEXT", help="Only jobs with this in their name or command.")
@json_option
@url_option
@click.pass_obj
def jobs(session: Session, category: str | None, search: str, as_json: bool) -> None:
    """List the jobs, how their latest run went, and when they run next.

    A narrow terminal shows fewer columns. Times are as of the server's clock.
    """
    server = session.server()
    found = (job for job in list_jobs(server, category) if _matches(job, search.lower()))
    if not (_list_as_json(found) if as_json else _list(found, server, session.outside.width())):
        _explain_absence(server, category, search)


def _list(jobs: Iterable[Job], server: Server, width: int | None) -> bool:
    found = list(jobs)
    now = server.now()
    if found:
        say(table(_JOB_COLUMNS, (_job_row(job, now) for job in found), width))
    return bool(found)


def _list_as_json(jobs: Iterable[Job]) -> bool:
    found = False
    for job in jobs:
        say_json(job.raw)
        found = True
    return found


def _explain_absence(server: Server, category: str | None, search: str) -> None:
    if category is not None:
        check_category(server, category)
    if search:
        tell(f"No job has {search!r} in its name or command.")
    elif category is None:
        tell("There are no jobs. `cronq apply FILE` brings some in.")
    else:
        tell(f"The category {category} has no jobs.")


@click.command(
    epilog=examples("cronq show 12", "cronq show 'example/nightly report'", "cronq show 12 --json")
)
@click.argument("job")
@json_option
@url_option
@click.pass_obj
def show(session: Session, job: str, as_json: bool) -> None:
    """Show one job and its latest runs.

    JOB is its id, or its category and name as in example/backup.
    """
    server = session.server()
    found = find_job(server, job)
    if as_json:
        say_json(found.raw)
        return
    now = server.now()
    say(_fields(found, now, f"{server.url}job/{found.id}"))
    if found.runs:
        say("")
        say(table(_RUN_COLUMNS, map(_run_row, found.runs), session.outside.width()))


def _matches(job: Job, text: str) -> bool:
    return text in job.name.lower() or text in job.command.lower()


def _job_row(job: Job, now: datetime) -> tuple[str, ...]:
    return (
        str(job.id),
        job.category,
        job.name,
        schedule_phrase(job),
        status_word(job.status),
        ago(job.last_run_start, now),
        ago(job.next_run, now),
        job.routing_key,
    )


def _fields(job: Job, now: datetime, page: str) -> Iterator[str]:
    phrase, written = schedule_phrase(job), job.when.get("schedule")
    if job.when and job.when != {"schedule": written}:
        written = json.dumps(job.when)
    fields = {
        "name": job.name,
        "category": job.category,
        "id": str(job.id),
        "status": status_word(job.status),
        "schedule": phrase if written in {None, phrase} else f"{written} ({phrase})",
        "next run": _next_run(job, now),
        "last run": at(job.last_run_start, now),
        "removed": at(job.removed_at, now) if job.removed_at else None,
        "routing key": job.routing_key,
        **dict(rules_in_words(job.rules or {})),
        "command": job.command,
        "page": page,
    }
    width = max(_LEAST_WIDTH, *(len(name) + 2 for name, value in fields.items() if value is not None))
    for name, value in fields.items():
        if value is not None:
            yield from _field(name, value, width)


def _next_run(job: Job, now: datetime) -> str:
    if job.next_run is None and (job.rules or {}).get("after"):
        return "when those that it runs after have succeeded"
    return at(job.next_run, now)


def _field(name: str, value: str, width: int) -> Iterator[str]:
    # A command may be a whole script; in anything else a new line is there to mislead.
    lines = value.split("\n") if name == "command" else [value]
    for title, line in zip(chain([f"{name}:"], repeat("")), map(harmless, lines), strict=False):
        yield f"{title:<{width}}{painted(line) if name == 'status' else line}".rstrip()


def _run_row(run: Run) -> tuple[str, ...]:
    several = f"{run.slots:,} slots until {_time(run.last_slot)}" if run.slots > 1 else ""
    attempt = f"attempt {run.attempt}" if run.attempt > 1 else ""
    return (
        ", ".join(filter(None, (_time(run.slot), attempt))),
        status_word(run.status),
        _time(run.started_at),
        "" if run.duration is None else duration(run.duration),
        "" if run.return_code is None else str(run.return_code),
        run.host,
        ": ".join(filter(None, (several, run.reason))),
        run.id,
    )


def _time(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
