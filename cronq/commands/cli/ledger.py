"""The database, for the one command that reads it itself; only that command loads this."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Engine

from cronq.commands.cli.exits import CommandFailed, Exit
from cronq.commands.common import DATABASE_URL
from cronq.commands.settings import read_setting
from cronq.database import gateway, schema
from cronq.database.reading.auditing import Audit, Question, find_job_id
from cronq.domain.errors import DatabaseUnavailable
from cronq.domain.findings import Finding

T = TypeVar("T")
_HINT = "Say where the database is with --database-url or DATABASE_URL."


class Ledger:
    """The ledger of a database. Whatever is read raises `CommandFailed` when the database does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now(self) -> datetime:
        """The time by the clock of the database."""
        return self._read(gateway.now)

    def find_job_id(self, text: str) -> int | None:
        """The id of the job that is named so, if there is one."""
        return self._read(find_job_id, text)

    def steps(self, audit: Audit) -> Iterator[list[Finding]]:
        """Go through an audit; gives what each step has found."""
        while not audit.finished:
            yield self._read(audit.step)

    def _read(self, function: Callable[..., T], *arguments: Any) -> T:
        try:
            return gateway.read_here(self._engine, function, *arguments)
        except DatabaseUnavailable as error:
            raise CommandFailed(str(error), Exit.UNREACHABLE, _HINT) from error

    def require_tables(self) -> None:
        """Raises `CommandFailed` when the tables are not those of this version."""
        if not self._read(schema.is_current):
            message = "the tables are not those of this version; start an injector first"
            raise CommandFailed(message, Exit.UNREACHABLE, _HINT)


def open_ledger(database_url: str | None) -> Ledger:
    """The ledger at that URL, or where the environment says; raises `BadSetting` and `CommandFailed`."""
    ledger = Ledger(gateway.make_engine(read_setting(DATABASE_URL, database_url, os.environ)))
    ledger.require_tables()
    return ledger


def begin_audit(since: datetime | None, until: datetime | None, job_id: int | None) -> Audit:
    """An audit of that time and job, or of all."""
    return Audit(Question(since, until, job_id))
