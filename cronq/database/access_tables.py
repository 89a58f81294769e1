"""The tables of those who may log in, and of what people have changed."""

from sqlalchemy import Column, Index, Integer, String, Table, Text
from sqlalchemy.dialects import mysql

from cronq.database.column_types import Name
from cronq.database.tables import BigId, Instant, Word, metadata

# SHA-256, in hexadecimal digits. What it is of has more than 128 random bits, so it needs no salt.
Digest = String(64).with_variant(mysql.CHAR(64, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
# On MySQL and MariaDB a TEXT ends at 64 KiB, which a command may have before it is escaped.
Json = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
Kind = String(32).with_variant(mysql.VARCHAR(32, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
#: An IPv6 address with a zone, or the path of a socket.
Address = String(128)


def _table(name: str, *items: Column[object] | Index) -> Table:
    return Table(name, metadata, *items, mysql_engine="InnoDB", mysql_charset="utf8mb4")


users = _table(
    "users",
    Column("id", Integer, primary_key=True),
    Column("name", Name(64), nullable=False, unique=True),
    # Argon2 in its own notation; NULL: only a proxy can say that it is them.
    Column("password", String(255)),
    Column("role", Word, nullable=False),
    # A JSON list of the only categories in which the role may do more than look; NULL: all.
    Column("categories", Text),
    Column("added_at", Instant, nullable=False),
    Column("logged_in_at", Instant),
)

# Who is logged in. The cookie holds the secret, and its digest is here.
sessions = _table(
    "sessions",
    Column("id", BigId, primary_key=True),
    Column("digest", Digest, nullable=False, unique=True),
    Column("user_id", Integer, nullable=False, index=True),
    Column("begun_at", Instant, nullable=False),
    # It is written every few minutes only.
    Column("seen_at", Instant, nullable=False),
    # Whatever happens, it ends then.
    Column("ends_at", Instant, nullable=False, index=True),
    Column("address", Address, nullable=False),
    # What the browser calls itself.
    Column("browser", String(255), nullable=False),
)

tokens = _table(
    "tokens",
    Column("id", Integer, primary_key=True),
    Column("digest", Digest, nullable=False, unique=True),
    # The first characters, by which people know it again.
    Column("hint", Word, nullable=False),
    Column("name", Name(64), nullable=False, unique=True),
    Column("role", Word, nullable=False),
    # As of users.
    Column("categories", Text),
    Column("added_at", Instant, nullable=False),
    Column("added_by", Name(64)),
    # NULL: never.
    Column("expires_at", Instant),
    # It is written every few minutes only.
    Column("used_at", Instant),
)

# Who changed what; append-only.
changes = _table(
    "changes",
    Column("id", BigId, primary_key=True),
    Column("at", Instant, nullable=False),
    # NULL: nobody had to say who they are.
    Column("who", Name(64)),
    Column("via", Word, nullable=False),
    # NULL: it was done on the database itself.
    Column("address", Address),
    Column("action", Kind, nullable=False),
    # What was changed, as people call it: `category/job`, the name of a user, …
    Column("subject", Name(512), nullable=False),
    Column("job_id", Integer),
    # The change that this one is a part of: that of the category, for each of its jobs.
    Column("part_of", BigId),
    # JSON objects with what was changed; NULL: there was, or is, nothing.
    Column("before", Json),
    Column("after", Json),
    # One for each list that is asked for, so that no server merges two of them and sorts the lot.
    Index("changes_part_of", "part_of", "id"),
    Index("changes_who", "part_of", "who", "id"),
    Index("changes_action", "action", "id"),
    Index("changes_action_who", "action", "who", "id"),
    Index("changes_job", "job_id", "id"),
)

# By which change each category consists of what it does.
latest_changes = _table(
    "latest_changes",
    Column("category_id", Integer, primary_key=True, autoincrement=False),
    Column("change_id", BigId, nullable=False),
)
