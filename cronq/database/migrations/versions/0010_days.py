"""The days of jobs, by which change each category is what it is, and how many jobs it has.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op
from sqlalchemy import Connection, func, insert, select

from cronq.database.access_tables import changes, latest_changes
from cronq.database.day_tables import job_days, unsettled_runs
from cronq.database.migrations.steps import create_indexes
from cronq.database.tables import categories, jobs, metadata
from cronq.domain.changes import Action

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add what is not there yet."""
    connection = op.get_bind()
    metadata.create_all(connection, (job_days, unsettled_runs, latest_changes))
    for table in (job_days, unsettled_runs, jobs):
        create_indexes(connection, table)
    _note_latest(connection)


def _note_latest(connection: Connection) -> None:
    """From the record of changes, for the categories of which it knows."""
    replaced = changes.c.action == Action.CATEGORY_REPLACED.value
    known = select(latest_changes.c.category_id).where(latest_changes.c.category_id == categories.c.id)
    found = (
        select(categories.c.id, func.max(changes.c.id))
        .join(changes, changes.c.subject == categories.c.name)
        .where(replaced, ~known.exists())
        .group_by(categories.c.id)
    )
    connection.execute(insert(latest_changes).from_select(["category_id", "change_id"], found))
