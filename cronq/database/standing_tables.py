"""How the installation stands: which daemons are up, and how many runs there were in each hour."""

from sqlalchemy import Column, String, Table, Text

from cronq.database.tables import Flag, Instant, Word, metadata

# One row for each duty of each process; whoever ends in good order deletes its own.
daemons = Table(
    "daemons",
    metadata,
    # injector or results
    Column("kind", Word, primary_key=True),
    # host.pid
    Column("name", String(64), primary_key=True),
    Column("host", String(255), nullable=False),
    Column("version", String(32), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    # Whether it was connected to the broker then.
    Column("connected", Flag, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# The runs that were made in an hour, by their statuses of when they were counted last.
hourly_runs = Table(
    "hourly_runs",
    metadata,
    # Its beginning.
    Column("hour", Instant, primary_key=True),
    # A JSON object: how many there are of each status.
    Column("counts", Text, nullable=False),
    Column("counted_at", Instant, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
