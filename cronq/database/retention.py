"""How far back the ledger reaches: what lies before the mark may have been deleted, or may be at any time."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from cronq.database.kept import keep_first
from cronq.database.tables import settings
from cronq.domain.instants import parse_instant

_NAME = "runs_pruned_until"


def pruned_until(connection: Connection) -> datetime | None:
    """The mark; None as long as no run has been deleted."""
    text: str | None = connection.scalar(select(settings.c.value).where(settings.c.name == _NAME))
    return None if text is None else parse_instant(text).moment


def move_mark(connection: Connection, until: datetime) -> None:
    """Move the mark forward to that instant; it never goes back.

    Done first in each transaction that deletes, so that no one takes for lost what is deleted.
    """
    text = f"{until.isoformat()}Z"
    kept = select(settings.c.value).where(settings.c.name == _NAME).with_for_update()
    if connection.scalar(kept) is None:
        keep_first(connection, _NAME, text)
    now_kept = parse_instant(connection.execute(kept).scalar_one()).moment
    if now_kept < until:
        connection.execute(update(settings).where(settings.c.name == _NAME).values(value=text))
