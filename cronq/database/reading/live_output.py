"""A run as somebody sees it who looks on while it runs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from cronq.database.gateway import now as database_now
from cronq.database.output_tables import excerpts, viewings
from cronq.database.reading.history import find_run
from cronq.database.reading.runs import RunRecord, find_made, find_output
from cronq.domain.live_output import Excerpt, decode_pieces
from cronq.domain.outputs import Output
from cronq.domain.rules import decode_rules

#: Excerpts read at once.
MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class ViewingRecord:
    """What is known about the looking itself."""

    until: datetime
    #: When its runner was last heard about it, and how many bytes the run had written then.
    heard_at: datetime | None
    size: int | None


@dataclass(frozen=True, slots=True)
class LiveRun:
    """A run, and what there is of its output from a position on."""

    now: datetime
    run: RunRecord
    #: How many bytes of its output its job wants to be kept.
    limit: int
    #: None while it runs, and when there was none or none is kept.
    kept: Output | None
    #: None when nobody has looked for a while.
    viewing: ViewingRecord | None
    excerpts: tuple[Excerpt, ...]

    @property
    def more(self) -> bool:
        """Whether there are more excerpts, to be read at once."""
        return len(self.excerpts) == MOST_AT_ONCE


def read_live(connection: Connection, run_id: str, position: int) -> LiveRun | None:
    """A run and what there is to see of its output, but for what was written before that position."""
    run = find_run(connection, run_id)
    if run is None:
        return None
    made = find_made(connection, run.definition_id)
    return LiveRun(
        database_now(connection),
        run,
        decode_rules(made.rules_text if made else None).output_limit,
        find_output(connection, run_id) if run.status.final else None,
        _find_viewing(connection, run_id),
        _find_excerpts(connection, run_id, position),
    )


def _find_viewing(connection: Connection, run_id: str) -> ViewingRecord | None:
    columns = viewings.c.until, viewings.c.heard_at, viewings.c.size
    row = connection.execute(select(*columns).where(viewings.c.run_id == run_id)).first()
    return row and ViewingRecord(*row)


def _find_excerpts(connection: Connection, run_id: str, position: int) -> tuple[Excerpt, ...]:
    query = (
        select(excerpts.c.start, excerpts.c.stop, excerpts.c.pieces)
        .where(excerpts.c.run_id == run_id, excerpts.c.stop > position)
        .order_by(excerpts.c.start)
        .limit(MOST_AT_ONCE)
    )
    return tuple(
        Excerpt(run_id, row.start, row.stop, decode_pieces(row.pieces)) for row in connection.execute(query)
    )
