"""The tables of 1.0: created where there are none, or those of 0.27 widened and joined by the new ones.

DDL commits at once on MySQL and MariaDB, so each step first looks whether it has been taken. One ALTER TABLE
is atomic on the servers that are supported, and copies a large table only once.
"""

from alembic import op
from sqlalchemy import Connection, Table, inspect
from sqlalchemy.schema import CreateColumn

from cronq.database.tables import categories, events, jobs, metadata

revision = "0001"
down_revision = None

#: Table of 0.27: the columns that become wider, those that are new, and keys.
CHANGES: dict[Table, tuple[list[str], list[str], list[str]]] = {
    categories: (["name"], [], []),
    jobs: (
        ["name", "interval", "next_run", "last_run_start", "last_run_stop", "routing_key"],
        ["schedule", "settled_until", "removed_at"],
        ["ADD KEY ix_jobs_next_run (next_run)", "ADD KEY ix_jobs_run_now (run_now)"],
    ),
    events: (["id", "datetime"], ["once"], ["ADD UNIQUE KEY events_once (run_id, type, once)"]),
}


def upgrade() -> None:
    """Widen what there is of 0.27 and create what there is not."""
    connection = op.get_bind()
    for table in CHANGES:
        if inspect(connection).has_table(table.name) and not _changed(connection, table):
            _change(connection, table)
    metadata.create_all(connection)


def _changed(connection: Connection, table: Table) -> bool:
    columns = {column["name"]: column for column in inspect(connection).get_columns(table.name)}
    new = CHANGES[table][1]
    if new:
        return new[0] in columns
    return "bin" in (getattr(columns["name"]["type"], "collation", None) or "bin")


def _change(connection: Connection, table: Table) -> None:
    wider, new, keys = CHANGES[table]
    steps = [f"MODIFY {_definition(connection, table, name)}" for name in wider]
    steps += [f"ADD COLUMN {_definition(connection, table, name)}" for name in new]
    op.execute(f"ALTER TABLE {table.name} {', '.join(steps + keys)}")


def _definition(connection: Connection, table: Table, column: str) -> str:
    definition = str(CreateColumn(table.c[column]).compile(dialect=connection.dialect))
    return definition + (" AUTO_INCREMENT" if table.c[column].primary_key else "")
