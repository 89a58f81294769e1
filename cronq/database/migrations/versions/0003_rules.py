"""What the rules of jobs need: when an attempt may start.

Each step first looks whether it has been taken, as in 0001.
"""

from alembic import op
from sqlalchemy import Table

from cronq.database.migrations.steps import add_columns
from cronq.database.tables import runs

revision = "0003"
down_revision = "0002"

NEW: dict[Table, list[str]] = {runs: ["not_before"]}


def upgrade() -> None:
    """Add what is not there yet."""
    for table, columns in NEW.items():
        add_columns(op.get_bind(), table, columns)
