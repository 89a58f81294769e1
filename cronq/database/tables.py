"""The schema. The tables of 0.27 keep their columns and their meaning; the rest is ours.

All times are UTC. Names are compared exactly: byte by byte, trailing spaces included.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql

from cronq.database.column_types import Name, Span

metadata = MetaData()

BigId = BigInteger().with_variant(Integer(), "sqlite")
Instant = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
RunId = String(32).with_variant(mysql.CHAR(32, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")
# True or false, stored as 1 or 0.
Flag = Boolean(create_constraint=False)
Word = String(16).with_variant(mysql.VARCHAR(16, charset="ascii", collation="ascii_bin"), "mysql", "mariadb")


def _table(name: str, *items: Any) -> Table:
    return Table(name, metadata, *items, mysql_engine="InnoDB", mysql_charset="utf8mb4")


categories = _table(
    "categories",
    Column("id", Integer, primary_key=True),
    Column("name", Name(255), unique=True),
)

jobs = _table(
    "jobs",
    Column("id", Integer, primary_key=True),
    Column("name", Name(255)),
    # The length of one step. With next_run it is the whole schedule of a job that 0.27 stored.
    Column("interval", Span),
    # The first slot that no one has accounted for; NULL when there is none any more.
    Column("next_run", Instant, index=True),
    Column("last_run_start", Instant),
    Column("last_run_stop", Instant, index=True),
    Column("last_run_status", String(32), index=True),
    # starting, succeeded or failed
    Column("current_status", String(32)),
    Column("routing_key", Name(255)),
    Column("command", Text),
    # 1: one run by hand is wanted
    Column("run_now", Integer, index=True),
    # host.pid of the last injector that took the job
    Column("locked_by", String(64)),
    Column("category_id", ForeignKey("categories.id")),
    # The schedule's text; NULL in rows of 0.27.
    Column("schedule", Text),
    # Every slot up to this instant has its row in `runs`. It never goes back, whatever the clock does.
    Column("settled_until", Instant),
    # When the job was taken out of its category; such a row is kept for the job's history only.
    Column("removed_at", Instant, index=True),
    # The rules that are not the default, as JSON; NULL when all are.
    Column("rules", Text),
    # Of its rules: what has more is taken first.
    Column("priority", SmallInteger, nullable=False, server_default="0", index=True),
    # 1: another job of its category runs after it.
    Column("followed", Flag, nullable=False, server_default="0"),
    # Until when people have paused it, in the far future for ever, and why. (Its document may do so, too.)
    Column("paused_until", Instant, index=True),
    Column("pause_reason", String(1000)),
    # The slot that somebody wants skipped.
    Column("skip_slot", Instant),
    # The row of skipped slots that grows as long as it is paused.
    Column("range_run_id", RunId),
    UniqueConstraint("category_id", "name", name="category_id"),
    Index("jobs_last_run_status", "removed_at", "last_run_status"),
    Index("jobs_routing_key", "removed_at", "routing_key"),
    Index("jobs_by_name", "removed_at", "name"),
    Index("jobs_by_category", "removed_at", "category_id", "name"),
)

# Each state that a job has been in, from one change to the next. A run points at the one it was made with,
# and the slots of the past can be computed again from them.
definitions = _table(
    "definitions",
    Column("id", BigId, primary_key=True),
    Column("job_id", Integer, nullable=False),
    # It answers for the slots with since < slot <= until; NULL: it is what the job is now.
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("schedule", Text),
    # The grid of a schedule without text: anchor + n * interval.
    Column("anchor", Instant),
    Column("interval", Span),
    Column("routing_key", Name(255)),
    Column("command", Text),
    Column("rules", Text),
    Index("definitions_job", "job_id", "until"),
)

events = _table(
    "events",
    Column("id", BigId, primary_key=True),
    Column("job_id", ForeignKey("jobs.id"), index=True),
    Column("datetime", Instant),
    Column("run_id", RunId),
    Column("type", String(32)),
    Column("host", String(255)),
    Column("return_code", Integer),
    # 1 in rows of this version, of which there is one for each run and type; NULL in rows of 0.27, which did
    # not see to that. (A unique key lets any number of NULLs pass.)
    Column("once", SmallInteger),
    UniqueConstraint("run_id", "type", "once", name="events_once"),
)

# The ledger: one row for each slot and attempt of a job and for each run by hand.
runs = _table(
    "runs",
    Column("id", BigId, primary_key=True),
    Column("run_id", RunId, nullable=False, unique=True),
    Column("job_id", Integer, nullable=False, index=True),
    Column("definition_id", BigId),
    # Why there is a run for that slot, when the schedule of its job did not say so: after or backfill.
    Column("cause", Word),
    Column("backfill_id", BigId),
    # NULL for a run by hand. Of a row that stands for several slots: the first of them.
    Column("slot", Instant),
    Column("attempt", SmallInteger, nullable=False, server_default="1"),
    Column("status", Word, nullable=False),
    # A sentence, where the status alone is not plain.
    Column("reason", String(1000)),
    # Of a row that stands for several slots: the last of them, and how many they are.
    Column("last_slot", Instant),
    Column("slots", BigInteger, nullable=False, server_default="1"),
    # It is not to be published before; NULL: at once.
    Column("not_before", Instant),
    # Made, confirmed by the broker, granted, started and ended (by its runner's clock), and recorded here.
    Column("queued_at", Instant),
    Column("published_at", Instant),
    Column("granted_at", Instant),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("recorded_at", Instant),
    # While it is queued and waits for no other run: when any injector is to publish it (again). NULL else.
    Column("publish_after", Instant),
    Column("publications", SmallInteger, nullable=False, server_default="0"),
    # Which request to start was granted.
    Column("token", RunId),
    # The runner's id, and its host.
    Column("runner", String(64)),
    Column("host", String(255)),
    Column("return_code", Integer),
    # Seconds.
    Column("run_time", Double),
    # Of a run by hand: who asked for it, why, and with what, as JSON.
    Column("request", Text),
    # Of an attempt that is not the first: the one before it.
    Column("previous_run_id", RunId),
    # 1: there is an attempt after this one, so that it keeps its status whatever is heard of it.
    Column("superseded", Flag, nullable=False, server_default="0"),
    # 1: it was given up for lost while its command may still be running, on a host that is silent.
    Column("abandoned", Flag, nullable=False, server_default="0"),
    UniqueConstraint("job_id", "slot", "attempt", name="runs_slot"),
    # What is to be published; and the latest runs of a status, where publish_after is NULL, so id decides.
    Index("runs_status", "status", "publish_after"),
)

# Each life of a runner, as results hears of it.
runners = _table(
    "runners",
    Column("id", String(64), primary_key=True),
    Column("host", String(255), nullable=False),
    # The id of its state folder: whoever starts there ends what a dead runner of that home has left running.
    Column("home", RunId, nullable=False),
    Column("version", String(32), nullable=False),
    Column("queue", Name(255), nullable=False),
    # A JSON list.
    Column("routing_keys", Text, nullable=False),
    # How many commands it runs at once, and how many it has in hand.
    Column("concurrency", Integer, nullable=False),
    Column("busy", Integer, nullable=False),
    # up, draining, stopped or silent
    Column("status", Word, nullable=False),
    # Where orders to it are to be sent.
    Column("address", String(255)),
    # Seconds by which its clock is ahead of the database's, the way of the message included.
    Column("clock_ahead", Double, nullable=False),
    Column("first_heard", Instant, nullable=False),
    Column("last_heard", Instant, nullable=False),
    Index("runners_status", "status", "last_heard"),
    Index("runners_home", "home", "status"),
)

# What people, or results, want a runner to do; an injector publishes it until it is seen to be done.
orders = _table(
    "orders",
    Column("id", BigId, primary_key=True),
    # drain or kill
    Column("kind", Word, nullable=False),
    Column("runner", String(64), nullable=False),
    # Of a kill.
    Column("run_id", RunId, index=True),
    Column("reason", String(1000), nullable=False),
    Column("ordered_at", Instant, nullable=False),
    # When any injector is to publish it (again); NULL when it is done, or nobody is left to do it.
    Column("publish_after", Instant, index=True),
)

# Slots of the past that somebody wants to be run: those with since <= slot <= until that have not run yet.
backfills = _table(
    "backfills",
    Column("id", BigId, primary_key=True),
    Column("job_id", Integer, nullable=False, index=True),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("newest_first", Flag, nullable=False),
    # How many of its runs may be open at once.
    Column("at_once", Integer, nullable=False),
    Column("reason", String(1000)),
    Column("asked_at", Instant, nullable=False),
    # The slot up to which, in its order, all is made; NULL: none is.
    Column("reached", Instant),
    # How many slots there are, how many runs were made, and how many slots had run already.
    Column("slots", Integer, nullable=False),
    Column("made", Integer, nullable=False, server_default="0"),
    Column("passed", Integer, nullable=False, server_default="0"),
    # NULL: it goes on.
    Column("ended_at", Instant, index=True),
    # Why it ended early.
    Column("stopped", String(255)),
)

# What belongs to the installation as a whole, such as the key that signs sessions.
settings = _table(
    "settings",
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
