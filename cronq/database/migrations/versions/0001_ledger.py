"""The tables of 1.0: created where there are none, or those of 0.27 widened and joined by the new ones.

DDL commits at once on MySQL and MariaDB, so each step first looks whether it has been taken. One ALTER TABLE
is atomic on the servers that are supported, and copies a large table only once. Tables that an old server
made still have its ways: an engine without transactions, a row format whose keys are too short for four bytes
a character, or a character set that holds few of them.
"""

from alembic import op
from sqlalchemy import Connection, Table, inspect

from cronq.database.column_types import Name
from cronq.database.migrations.steps import column_definition, create_indexes
from cronq.database.tables import categories, events, jobs, metadata

revision = "0001"
down_revision = None

#: Table of 0.27: the columns that become wider, those that are new, and keys.
CHANGES: dict[Table, tuple[list[str], list[str], list[str]]] = {
    categories: (["name"], [], []),
    jobs: (
        [
            "name",
            "interval",
            "next_run",
            "last_run_start",
            "last_run_stop",
            "last_run_status",
            "current_status",
            "routing_key",
            "command",
            "locked_by",
        ],
        ["schedule", "settled_until", "removed_at"],
        ["ADD KEY ix_jobs_next_run (next_run)", "ADD KEY ix_jobs_run_now (run_now)"],
    ),
    events: (
        ["id", "datetime", "type", "host"],
        ["once"],
        ["ADD UNIQUE KEY events_once (run_id, type, once)"],
    ),
}


_STORAGE = ["ENGINE = InnoDB", "ROW_FORMAT = DYNAMIC", "DEFAULT CHARACTER SET = utf8mb4"]


def upgrade() -> None:
    """Widen what there is of 0.27 and create what there is not."""
    connection = op.get_bind()
    for table in CHANGES:
        if inspect(connection).has_table(table.name) and not _changed(connection, table):
            _change(connection, table)
    metadata.create_all(connection)
    for table in metadata.sorted_tables:
        create_indexes(connection, table)


def _changed(connection: Connection, table: Table) -> bool:
    columns = {column["name"]: column for column in inspect(connection).get_columns(table.name)}
    new = CHANGES[table][1]
    if new or connection.dialect.name == "sqlite":
        return all(name in columns for name in new)
    name = table.c["name"].type
    assert isinstance(name, Name)
    wanted = name.load_dialect_impl(connection.dialect).collation
    return bool(getattr(columns["name"]["type"], "collation", None) == wanted)


def _change(connection: Connection, table: Table) -> None:
    wider, new, keys = CHANGES[table]
    steps = [f"MODIFY {column_definition(connection, table, name)}" for name in wider]
    steps += [f"ADD COLUMN {column_definition(connection, table, name)}" for name in new]
    op.execute(f"ALTER TABLE {table.name} {', '.join(_STORAGE + steps + keys)}")
