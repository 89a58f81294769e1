"""Bringing the tables to what this version needs, from nothing or from 0.27, without destroying anything."""

from sqlalchemy import Connection, inspect, text

from cronq.domain.errors import DatabaseUnavailable

#: The newest revision in `migrations/versions`.
HEAD = "0011"
_LOCK = "cronq.schema"
_LOCK_SECONDS = 30


def is_current(connection: Connection) -> bool:
    """Whether the tables are those of this version."""
    if not inspect(connection).has_table("alembic_version"):
        return False
    return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)


def upgrade(connection: Connection) -> None:
    """Create or upgrade the tables. Any number may do it at once, and each may be killed at any point.

    One does the work and the others wait for it: SQLite's write lock is held already, MySQL and MariaDB have
    locks with a name. Raises `DatabaseUnavailable` when it takes long.
    """
    if is_current(connection):
        return
    if connection.dialect.name == "sqlite":
        _run_migrations(connection)
        return
    wait = text("SELECT GET_LOCK(:name, :seconds)")
    if connection.scalar(wait, {"name": _LOCK, "seconds": _LOCK_SECONDS}) != 1:
        raise DatabaseUnavailable("another daemon is still upgrading the tables")
    try:
        _run_migrations(connection)
        connection.exec_driver_sql("COMMIT")  # now, so that the next one who gets the lock sees it done
    finally:
        if not connection.invalidated:  # with a connection that is lost, its locks are gone
            connection.scalar(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK})


def _run_migrations(connection: Connection) -> None:
    # Loading it takes a quarter of a second, which a daemon that finds its tables ready need not spend.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", "cronq:database/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
