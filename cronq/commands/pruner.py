"""`cronq-pruner`: deletes old runs, events and changes, and exits."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Engine

from cronq import __version__
from cronq.commands.database import DATABASE_URL
from cronq.commands.settings import BadSetting, read_setting
from cronq.database import expiry, old_changes, pruning, schema
from cronq.database.gateway import make_engine, transact_here
from cronq.domain.durations import Duration, parse_duration
from cronq.domain.errors import BadSchedule, CronqError, DatabaseUnavailable

CHUNK = 100
TELL_EVERY = 1.0  # seconds


class Progress:
    """Says now and then how far it is, on standard error."""

    def __init__(self, what: str) -> None:
        self.deleted = 0
        #: What is deleted.
        self.what = what
        self._told = time.monotonic()

    def add(self, count: int, where: str) -> None:
        """So many more are deleted."""
        self.deleted += count
        if time.monotonic() - self._told >= TELL_EVERY:
            self._told = time.monotonic()
            print(f"{self} deleted, {where}", file=sys.stderr)

    def __str__(self) -> str:
        return f"{self.deleted} {self.what}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script; gives the exit code."""
    options = _parser().parse_args(arguments)
    progress = Progress(_what(options))
    try:
        work = _work(options)
        engine = make_engine(read_setting(DATABASE_URL, options.database_url, os.environ))
        _require_tables(engine)
        work(engine, progress)
    except CronqError as error:
        print(f"cronq-pruner: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"cronq-pruner: stopped; {progress} are deleted", file=sys.stderr)
        return 130
    print(f"{progress} deleted", file=sys.stderr)
    return 0


def _what(options: argparse.Namespace) -> str:
    if options.changes_older_than is not None:
        return "changes"
    return "events" if options.older_than is None else "rows"


def _work(options: argparse.Namespace) -> Callable[[Engine, Progress], None]:
    in_range = (options.first, options.last) != (None, None)
    others = options.keep, options.older_than, options.changes_older_than
    if [in_range, *(each is not None for each in others)].count(True) != 1:
        raise BadSetting(
            "say one of --first A --last B, --keep N, --older-than AGE, --changes-older-than AGE (see --help)"
        )
    if options.changes_older_than is not None:
        return lambda engine, progress: _changes(engine, options.changes_older_than, options.range, progress)
    if options.older_than is not None:
        return lambda engine, progress: _older(engine, options.older_than, options.range, progress)
    if options.keep is not None:
        return lambda engine, progress: _keep(engine, options.keep, options.range, progress)
    if options.first is None or options.last is None:
        raise BadSetting("--first and --last belong together")
    if options.first > options.last:
        raise BadSetting(f"--first {options.first} is greater than --last {options.last}")
    return lambda engine, progress: _range(engine, options.first, options.last, options.range, progress)


def _require_tables(engine: Engine) -> None:
    if not transact_here(engine, schema.is_current):
        where = engine.url.render_as_string(hide_password=True)
        raise DatabaseUnavailable(
            f"{where}: the tables are not those of this version; start an injector first"
        )


def _range(engine: Engine, first: int, last: int, size: int, progress: Progress) -> None:
    found = transact_here(engine, pruning.ids_between, first, last)
    for start, end in pruning.chunks(found, size):
        count = transact_here(engine, pruning.delete_range, start, end)
        progress.add(count, f"up to event {end} of {last}")


def _keep(engine: Engine, keep: int, size: int, progress: Progress) -> None:
    job_ids = transact_here(engine, pruning.job_ids)
    for number, job_id in enumerate(job_ids, 1):
        oldest = transact_here(engine, pruning.oldest_kept, job_id, keep)
        while oldest is not None:
            count = transact_here(engine, pruning.delete_older, job_id, oldest, size)
            progress.add(count, f"at job {number} of {len(job_ids)}")
            if count < size:
                break


def _older(engine: Engine, age: Duration, size: int, progress: Progress) -> None:
    before = transact_here(engine, expiry.instant_before, age)
    where = f"up to {before:%Y-%m-%d %H:%M:%S} UTC"
    after: int | None = 0
    while after is not None:
        count, after = transact_here(engine, expiry.delete_runs, before, after, size)
        progress.add(count, where)
    inherited = transact_here(engine, pruning.ids_between, 1, transact_here(engine, expiry.last_inherited))
    for start, end in pruning.chunks(inherited, size):
        progress.add(transact_here(engine, expiry.delete_inherited_events, before, start, end), where)
    count = size
    while count == size:
        count = transact_here(engine, expiry.delete_definitions, before, size)
        progress.add(count, where)


def _changes(engine: Engine, age: Duration, size: int, progress: Progress) -> None:
    before = transact_here(engine, expiry.instant_before, age)
    count = size
    while count == size:
        count = transact_here(engine, old_changes.delete_changes, before, size)
        progress.add(count, f"up to {before:%Y-%m-%d %H:%M:%S} UTC")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        """One line, and the exit code of the contract."""
        self.exit(1, f"{self.prog}: {message} (see --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cronq-pruner",
        description="Deletes old runs or events, but nothing of a run that has not ended; or what people have"
        " changed long ago. It may be stopped at any time and started again.",
    )
    parser.add_argument("--first", type=_number, metavar="A", help="delete from the event with this id ...")
    parser.add_argument("--last", type=_number, metavar="B", help="... to the one with this id")
    parser.add_argument(
        "--keep", type=_number, metavar="N", help="delete all but the latest N events of each job"
    )
    parser.add_argument(
        "--older-than", type=_age, metavar="AGE",
        help="delete the runs whose slots are older than that, as in P90D, with their events",
    )  # fmt: skip
    parser.add_argument(
        "--changes-older-than", type=_age, metavar="AGE",
        help="delete from the record of changes what is older than that",
    )  # fmt: skip
    parser.add_argument(
        "--range", "--interval", type=_number, default=CHUNK, metavar="N",
        help=f"so many at a time (default: {CHUNK})",
    )  # fmt: skip
    parser.add_argument("--database-url", help=DATABASE_URL.what)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _number(text: str) -> int:
    if not text.isdecimal() or not text.isascii() or not 1 <= int(text) < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def _age(text: str) -> Duration:
    try:
        return parse_duration(text)
    except BadSchedule as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
