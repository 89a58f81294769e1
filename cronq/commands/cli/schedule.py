"""`cronq schedule explain`: what a schedule means, before any job has it."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from cronq.commands.cli.exits import Exit
from cronq.commands.cli.session import Session, complain, examples, json_option, say, say_json, tell
from cronq.commands.cli.terminal import Column, harmless, table
from cronq.commands.cli.words import ago
from cronq.domain.errors import BadDocument, BadSchedule
from cronq.domain.moments import parse_moment
from cronq.domain.schedule_documents import read_specification
from cronq.domain.schedule_keys import TIME_KEYS
from cronq.domain.schedules import Specification
from cronq.domain.schedules.preview import ComingSlot, Preview, preview
from cronq.domain.schedules.text import LENGTH_LIMIT, parse_text
from cronq.domain.zones import find_zone
from cronq.web.api.schedules import offset_text, preview_shape
from cronq.web.words.times import duration

_EXAMPLES = examples(
    "cronq schedule explain '*/5 8-18 * * MON-FRI'",
    "cronq schedule explain '30 2 * * *' --timezone Europe/Berlin --from 2026-03-27",
    "cronq schedule explain 'every PT90S' -n 3",
    "cronq schedule explain 'H H * * *' --job example/backup",
    """cronq schedule explain '{"schedule": ["@daily", "0 12 * * MON"], "except": ["2026-12-25"]}'""",
)


@click.group(epilog=_EXAMPLES)
def schedule() -> None:
    """Try schedules out."""


@schedule.command(epilog=_EXAMPLES)
@click.argument("expression", metavar="EXPR")
@click.option(
    "-n", "count", type=click.IntRange(1, 100), default=10, show_default=True, help="How many slots."
)
@click.option("--timezone", metavar="ZONE", help="The IANA time zone, as in Europe/Berlin.  [default: UTC]")
@click.option("--job", metavar="CATEGORY/NAME", default="", help="Whose H and jitter these are.")
@click.option("--from", "since", metavar="WHEN", help="Show the slots after that.  [default: now]")
@json_option
@click.pass_obj
def explain(
    session: Session,
    expression: str,
    count: int,
    timezone: str | None,
    job: str,
    since: str | None,
    as_json: bool,
) -> int:
    """Say what a schedule means, and when its next slots are.

    EXPR is what stands under `schedule` in a category document, or an object with all the keys of a job that
    say when it runs. Nothing is asked of any server.
    """
    now = session.outside.now()
    begin = _moment(since, now)
    try:
        nameless = None if job else "--job CATEGORY/NAME shows the slots of a job"
        found = preview(_specification(expression, timezone, job), begin, count, nameless=nameless)
    except BadSchedule as error:
        complain(f"{error} (at character {error.position + 1})")
        if (
            0 < len(expression) <= LENGTH_LIMIT
            and expression.isprintable()
            and not expression.startswith(("{", "["))
        ):
            tell(f"  {expression}")
            tell(f"  {' ' * error.position}^")
        return Exit.BAD_DOCUMENT
    except BadDocument as error:
        for fault in error.faults:
            complain(str(fault))
        return Exit.BAD_DOCUMENT
    if as_json:
        say_json(preview_shape(found, now))
    else:
        say(_lines(found, now, session.outside.width()))
    return Exit.OK


def _specification(expression: str, timezone: str | None, job: str) -> Specification:
    category, _, name = job.partition("/")
    if job and not (category and name):
        raise click.BadParameter("say category and name, as in example/backup", param_hint="'--job'")
    keys: dict[str, Any] = {"schedule": expression}
    if expression.startswith(("{", "[")):
        try:
            value = json.loads(expression)
        except ValueError as error:
            raise click.UsageError(f"EXPR is no JSON: {error}") from error
        # A schedule by itself, such as {"every": "PT90S"}, or all keys of a job that say when it runs.
        whole = isinstance(value, dict) and not {"schedule", *TIME_KEYS}.isdisjoint(value)
        keys = value if whole else {"schedule": value}
    else:
        parse_text(expression, None if timezone is None else _zone(timezone))
    if timezone is not None:
        keys["timezone"] = timezone
    return read_specification(keys, category, name)


def _zone(name: str) -> Any:
    try:
        return find_zone(name)
    except BadSchedule as error:
        raise click.BadParameter(str(error), param_hint="'--timezone'") from error


def _moment(text: str | None, now: datetime) -> datetime:
    try:
        return now if text is None else parse_moment(text, now)
    except BadSchedule as error:
        raise click.BadParameter(str(error), param_hint="'--from'") from error


def _lines(found: Preview, now: datetime, width: int | None) -> Iterator[str]:
    yield harmless(found.sentence[:1].upper() + found.sentence[1:])
    if found.slots:
        yield ""
        jitter = any(slot.jitter for slot in found.slots)
        columns = [Column(str(found.zone or "UTC")), Column("UTC"), Column("WHEN")]
        if found.zone is None:
            del columns[1]
        rows = (_row(slot, now, found, with_jitter=jitter) for slot in found.slots)
        yield from table([*columns, *([Column("JITTER")] if jitter else [])], rows, width)
    if found.notes or found.warnings:
        yield ""
    yield from (harmless(f"note: {note}") for note in found.notes)
    yield from (harmless(f"warning: {warning}") for warning in found.warnings)


def _row(slot: ComingSlot, now: datetime, found: Preview, *, with_jitter: bool) -> list[str]:
    local = f"{slot.wall:%a %Y-%m-%d %H:%M:%S}"
    cells = (
        [local]
        if found.zone is None
        else [f"{local} {offset_text(slot.offset)}", f"{slot.moment:%Y-%m-%d %H:%M:%S}"]
    )
    return [*cells, ago(slot.moment, now), *([duration(slot.jitter)] if with_jitter else [])]
