"""What is kept of the output of runs, for the pages, and what is seen of it while somebody looks on."""

from sqlalchemy import BigInteger, Column, Index, Table, Text
from sqlalchemy.dialects import mysql

from cronq.database.tables import BigId, Instant, RunId, metadata

_MediumText = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")

# One row for each run that has written something, as far as its job wants it kept.
outputs = Table(
    "outputs",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", RunId, nullable=False, unique=True),
    # How many bytes it has written.
    Column("size", BigInteger, nullable=False),
    # The beginning and the end of it, as JSON.
    Column("kept", _MediumText, nullable=False),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# Running runs at which somebody looks; results has their runners send what they write.
viewings = Table(
    "viewings",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", RunId, nullable=False, unique=True),
    # Until when somebody looks, unless they say it again.
    Column("until", Instant, nullable=False),
    # When any results daemon is to tell the runner (again).
    Column("publish_after", Instant, nullable=False),
    # When the runner was last heard, and how many bytes the run had written then; NULL: not yet.
    Column("heard_at", Instant),
    Column("size", BigInteger),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)

# What came of it, the latest parts for each run. Nothing refers to these rows, and they are gone soon after
# the last look.
excerpts = Table(
    "excerpts",
    metadata,
    Column("id", BigId, primary_key=True),
    Column("run_id", RunId, nullable=False),
    # The positions of its first byte and behind its last one, in all that the run has written.
    Column("start", BigInteger, nullable=False),
    Column("stop", BigInteger, nullable=False),
    # As JSON.
    Column("pieces", _MediumText, nullable=False),
    Index("excerpts_run", "run_id", "stop"),
    mysql_engine="InnoDB",
    mysql_charset="utf8mb4",
)
