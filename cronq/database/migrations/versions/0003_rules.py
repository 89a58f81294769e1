"""What the rules of jobs need, and backfills.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op
from sqlalchemy import Table

from cronq.database.migrations.steps import add_columns, create_indexes
from cronq.database.tables import backfills, jobs, metadata, runs

revision = "0003"
down_revision = "0002"

NEW: dict[Table, list[str]] = {
    jobs: ["priority", "followed", "paused_until", "pause_reason", "skip_slot", "range_run_id"],
    runs: ["cause", "backfill_id", "not_before"],
}


def upgrade() -> None:
    """Add what is not there yet."""
    for table, columns in NEW.items():
        add_columns(op.get_bind(), table, columns)
        create_indexes(op.get_bind(), table)
    metadata.create_all(op.get_bind(), [backfills])
    create_indexes(op.get_bind(), backfills)
