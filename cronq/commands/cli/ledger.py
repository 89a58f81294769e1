"""The ledger of a database, for the command that audits it."""

from collections.abc import Iterator
from datetime import datetime

from cronq.commands.cli.api import ambiguous_job, no_such_job
from cronq.commands.cli.store import Store, open_store
from cronq.database import gateway
from cronq.database.reading.auditing import Audit, Question, find_job_ids
from cronq.domain.findings import Finding


class Ledger:
    """The ledger. Whatever is read raises `CommandFailed` when the database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def now(self) -> datetime:
        """The time by the clock of the database."""
        return self._store.read(gateway.now)

    def find_job_id(self, text: str) -> int:
        """The id of the job that is named so; raises `CommandFailed` when there is none, or several."""
        found = self._store.read(find_job_ids, text)
        if not found:
            raise no_such_job(text)
        if len(found) > 1:
            raise ambiguous_job(text, found)
        return found[0]

    def steps(self, audit: Audit) -> Iterator[list[Finding]]:
        """Go through an audit; gives what each step has found."""
        while not audit.finished:
            yield self._store.read(audit.step)


def open_ledger(database_url: str | None) -> Ledger:
    """The ledger at that URL, or where the environment says; raises `BadSetting` and `CommandFailed`."""
    return Ledger(open_store(database_url))


def begin_audit(since: datetime | None, until: datetime | None, job_id: int | None) -> Audit:
    """An audit of that time and job, or of all."""
    return Audit(Question(since, until, job_id))
