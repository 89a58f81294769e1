"""What migrations have in common: steps that look first whether they have been taken."""

from alembic import op
from sqlalchemy import Connection, Table, inspect
from sqlalchemy.schema import CreateColumn


def add_columns(connection: Connection, table: Table, names: list[str]) -> None:
    """Add those that are not there."""
    there = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for name in names:
        if name not in there:
            op.execute(f"ALTER TABLE {table.name} ADD COLUMN {column_definition(connection, table, name)}")


def create_indexes(connection: Connection, table: Table) -> None:
    """Create those that are not there, of the columns that are: a later migration may add others.

    SQLAlchemy makes them after their table; whoever was killed in between has left a table without.
    """
    there = [tuple(index["column_names"]) for index in inspect(connection).get_indexes(table.name)]
    columns = {column["name"] for column in inspect(connection).get_columns(table.name)}
    for index in table.indexes:
        if tuple(index.columns.keys()) not in there and columns.issuperset(index.columns.keys()):
            index.create(connection)


def column_definition(connection: Connection, table: Table, name: str) -> str:
    """Name and type of a column, as DDL of this server."""
    return str(CreateColumn(table.c[name]).compile(dialect=connection.dialect))
