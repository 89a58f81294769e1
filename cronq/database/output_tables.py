"""What is kept of the output of runs, for the pages."""

from sqlalchemy import BigInteger, Column, Table, Text
from sqlalchemy.dialects import mysql

from cronq.database.tables import BigId, RunId, metadata

# One row for each run that has written something, as far as its job wants it kept.
outputs = Table(
    "outputs",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", RunId, nullable=False, unique=True),
    # How many bytes it has written.
    Column("size", BigInteger, nullable=False),
    # The beginning and the end of it, as JSON.
    Column("kept", Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb"), nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
