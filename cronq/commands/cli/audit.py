"""`cronq audit`: holds the ledger against the schedules."""

import sys
from collections.abc import Iterable
from datetime import datetime

import click

from cronq.commands.cli.exits import Exit
from cronq.commands.cli.session import examples, json_option, say, say_json
from cronq.commands.cli.terminal import harmless
from cronq.domain.audit_totals import Totals, period_in_words, verdict
from cronq.domain.errors import BadSchedule
from cronq.domain.findings import Finding
from cronq.domain.moments import parse_moment
from cronq.web.api.audit_shapes import finding_shape, totals_shape

_WHEN = "a date, with or without a time, or how long ago, as in P1D"
#: Steps of the progress bar.
_LENGTH = 1000


@click.command(
    epilog=examples(
        "cronq audit",
        "cronq audit --from P1D",
        "cronq audit --from 2026-11-01 --to 2026-12-01 --job 'example/nightly report'",
    )
)
@click.option("--from", "since", metavar="WHEN", help=f"Begin there: {_WHEN}.")
@click.option("--to", "until", metavar="WHEN", help="End just before that.")
@click.option("--job", metavar="JOB", help="Only this job: its id, or its category and name.")
@click.option("--database-url", metavar="URL", help="Where the database is.  [DATABASE_URL]")
@json_option
def audit(
    since: str | None, until: str | None, job: str | None, database_url: str | None, as_json: bool
) -> int:
    """Look whether every slot is accounted for, and none ran twice.

    All slots are computed again from the schedules and their changes, and the ledger is held against them.
    It reads the database itself and changes nothing. The exit code is 1 when something is found.
    """
    # Loaded here, so that the other commands need not wait for what a database takes.
    from cronq.commands.cli.ledger import begin_audit, open_ledger

    ledger = open_ledger(database_url)
    begin, end = _period(since, until, ledger.now().replace(microsecond=0))
    job_id = None if job is None else ledger.find_job_id(job)
    under_way = begin_audit(begin, end, job_id)
    seen = sys.stderr.isatty()
    with click.progressbar(length=_LENGTH, label="Auditing", hidden=not seen, file=sys.stderr) as bar:
        for found in ledger.steps(under_way):
            if found and seen:
                click.echo("\r\x1b[K", nl=False, err=True)  # the bar comes again below
            _show(found, as_json)
            bar.update(int(_LENGTH * under_way.progress) - bar.pos)
    assert under_way.until is not None
    result = under_way.totals, under_way.since, under_way.until, under_way.pruned_until
    if as_json:
        say_json(totals_shape(*result))
    else:
        say(_last_line(*result))
    return Exit.FAILURE if under_way.totals.findings else Exit.OK


def _period(since: str | None, until: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    begin, end = _moment("--from", since, now), _moment("--to", until, now)
    if begin is not None and begin >= min(end or now, now):
        raise click.UsageError("there is nothing between --from and --to, or now")
    return begin, end


def _moment(option: str, text: str | None, now: datetime) -> datetime | None:
    try:
        return None if text is None else parse_moment(text, now)
    except BadSchedule as error:
        raise click.BadParameter(str(error), param_hint=f"'{option}'") from error


def _show(found: Iterable[Finding], as_json: bool) -> None:
    for finding in found:
        if as_json:
            say_json(finding_shape(finding))
        else:
            say(harmless(str(finding)))


def _last_line(totals: Totals, since: datetime | None, until: datetime, pruned_until: datetime | None) -> str:
    period = period_in_words(since, until, pruned_until)
    return f"{verdict(totals.findings)}: {totals.in_words()} {period}"
