"""The database, for the commands that work on it themselves; only those load this."""

import os
import pwd
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Engine

from cronq.commands.cli.exits import CommandFailed, Exit
from cronq.commands.database import DATABASE_URL
from cronq.commands.settings import read_setting
from cronq.database import gateway, schema
from cronq.domain.access import Actor, BadAccess, Via
from cronq.domain.errors import DatabaseUnavailable, NotPossible

T = TypeVar("T")
_HINT = "Say where the database is with --database-url or DATABASE_URL."


class Store:
    """A database. Whatever is done with it raises `CommandFailed` when it does not answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function gives that only reads."""
        return self._done(gateway.read_here, function, arguments)

    def change(self, function: Callable[..., T], *arguments: Any) -> T:
        """What a function gives in a transaction, given who asks for it."""
        return self._done(gateway.transact_here, function, (_actor(), *arguments))

    def require_tables(self) -> None:
        """Raises `CommandFailed` when the tables are not those of this version."""
        if not self.read(schema.is_current):
            message = "the tables are not those of this version; start an injector first"
            raise CommandFailed(message, Exit.UNREACHABLE, _HINT)

    def _done(self, do: Callable[..., Any], function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            result: T = do(self._engine, function, *arguments)
        except DatabaseUnavailable as error:
            raise CommandFailed(str(error), Exit.UNREACHABLE, _HINT) from error
        except NotPossible as error:
            raise CommandFailed(str(error), Exit.CONFLICT) from error
        return result


def open_store(database_url: str | None) -> Store:
    """The database at that URL, or where the environment says; raises `BadSetting` and `CommandFailed`."""
    store = Store(gateway.make_engine(read_setting(DATABASE_URL, database_url, os.environ)))
    store.require_tables()
    return store


def accepted(check: Callable[..., T], *arguments: Any) -> T:
    """What a check of a name, a password or a limit gives; raises `CommandFailed`."""
    try:
        return check(*arguments)
    except BadAccess as error:
        raise CommandFailed(str(error), Exit.USAGE) from error


def _actor() -> Actor:
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container the user may have no name
        name = str(os.getuid())
    return Actor(name[:64], Via.SHELL)
