"""What waits: for other runs of its job, or for room among the runs of its backfill."""

from sqlalchemy import Connection, select

from cronq.database.backfilling import go_on
from cronq.database.bulk import chunks
from cronq.database.gateway import now as database_now
from cronq.database.limits import MOST_WAITING, WAITS, release
from cronq.database.tables import jobs, runs
from cronq.domain.rules import Rules, decode_rules


def let_go(connection: Connection) -> int:
    """Let go whatever may; gives how many runs are to be published for that."""
    return release_all(connection) + go_on(connection)


def release_all(connection: Connection) -> int:
    """Look at all that waits: whoever was to let it go may have been killed, or the rules be others now.

    Gives how many runs were let go.
    """
    waiting = select(runs.c.job_id).where(WAITS).order_by(runs.c.id).limit(MOST_WAITING)
    job_ids = sorted(set(connection.scalars(waiting)))
    released = 0
    for some in chunks(job_ids):
        query = select(jobs.c.id, jobs.c.rules, jobs.c.removed_at).where(jobs.c.id.in_(some))
        found = connection.execute(query.order_by(jobs.c.id).with_for_update()).all()
        # What waits for a job that is gone is published, and that says what becomes of it.
        rules: dict[int, Rules | None] = dict.fromkeys(some)
        rules |= {row.id: decode_rules(row.rules) for row in found if row.removed_at is None}
        released += release(connection, rules, database_now(connection))
    return released
