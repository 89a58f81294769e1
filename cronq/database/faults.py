"""What an error of a database driver means: try again at once, try again later, or a fault of ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cronq.domain.errors import DatabaseUnavailable, NotStorable

# Error numbers of MySQL and MariaDB: https://dev.mysql.com/doc/mysql-errors/8.0/en/
GAVE_WAY = {
    1020,  # a row has changed since it was read
    1205,  # a lock was not to be had in time
    1213,  # deadlock
    1305,  # no such savepoint: a deadlock has rolled back the whole transaction around it
    1412,  # a table was altered since the transaction began
}
UNAVAILABLE = {
    1040,  # too many connections
    1047,  # the node has lost its cluster
    1053,  # shutdown in progress
    1146,  # no such table: no injector has made them yet
    1152,  # aborted connection
    1180,  # error during COMMIT
    1203,  # too many connections of this user
    1226,  # the user has used up a limit
    1290,  # read only
    1317,  # query interrupted (by a shutdown)
    1836,  # read only
    1927,  # connection was killed
    2006,  # the server has gone away
    2013,  # connection lost during a query
    2014,  # commands out of sync, after such a loss
    4031,  # disconnected for inactivity
}

#: What says nothing of the values that were to be written: a full disk, missing rights, a wrong statement of
#: ours. Whoever looks for the one value that does harm has to let them pass.
OF_NO_VALUE = SQLAlchemyError, OSError, MemoryError


class GaveWay(DatabaseUnavailable):
    """The transaction was rolled back in favour of another one: run it again."""


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Makes errors of the driver, which differ, into errors of ours, which mean something."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseUnavailable("all connections to the database are in use") from error
    except DBAPIError as error:
        if gave_way(error):
            raise GaveWay(sentence(url, error)) from error
        if unavailable(error):
            raise DatabaseUnavailable(sentence(url, error)) from error
        if isinstance(error, (DataError, IntegrityError)):
            raise NotStorable(sentence(url, error)) from error
        raise


def gave_way(error: DBAPIError) -> bool:
    """Whether the transaction was rolled back in favour of another, so that it may simply be run again."""
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return _number(error) in GAVE_WAY


def unavailable(error: DBAPIError) -> bool:
    """Whether the database did not answer, or would not let us in."""
    if isinstance(error.orig, sqlite3.Error):
        return "no such table" in str(error.orig) or _sqlite_code(error.orig) in {
            sqlite3.SQLITE_BUSY,
            sqlite3.SQLITE_LOCKED,
            sqlite3.SQLITE_CANTOPEN,
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_READONLY,
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_NOTADB,
        }
    # Without a statement we were on our way in or out: whatever was said there, it did not serve us.
    return error.connection_invalidated or error.statement is None or _number(error) in UNAVAILABLE | {0}


def sentence(url: URL, error: DBAPIError) -> str:
    """Which database, and what it or its driver said, in one line and without the password."""
    arguments = error.orig.args if error.orig is not None else ()
    said = " ".join(str(arguments[-1] if arguments else error).split())
    return f"{url.render_as_string(hide_password=True)}: {said}"


def _number(error: DBAPIError) -> int | None:
    arguments = error.orig.args if error.orig is not None else ()
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code, without its extension
