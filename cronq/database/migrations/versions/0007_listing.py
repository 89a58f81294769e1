"""How long jobs usually take, and by what they are found: facets of their rules, when they ended, and how.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op
from sqlalchemy import Connection, delete, select

from cronq.database.facet_tables import job_facets
from cronq.database.facets import insert_facets
from cronq.database.migrations.steps import create_indexes
from cronq.database.tables import jobs, metadata
from cronq.database.usual_tables import usual_durations
from cronq.domain.rules import decode_rules

revision = "0007"
down_revision = "0006"

BATCH = 1000


def upgrade() -> None:
    """Add what is not there yet."""
    connection = op.get_bind()
    metadata.create_all(connection, [usual_durations, job_facets])
    for table in (usual_durations, job_facets, jobs):
        create_indexes(connection, table)
    _find_facets(connection)


def _find_facets(connection: Connection) -> None:
    """Of the jobs that are there; from nothing again, as whoever was killed has left some of them."""
    connection.execute(delete(job_facets))
    query = select(jobs.c.id, jobs.c.rules).where(jobs.c.rules.is_not(None), jobs.c.removed_at.is_(None))
    last = 0
    while rows := connection.execute(query.where(jobs.c.id > last).order_by(jobs.c.id).limit(BATCH)).all():
        insert_facets(connection, {row.id: decode_rules(row.rules) for row in rows})
        last = rows[-1].id
