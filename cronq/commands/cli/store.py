"""The database, for the commands that work on it themselves; only those load this."""

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar

from sqlalchemy import Engine

from cronq.commands.cli.exits import CommandFailed, Exit
from cronq.commands.database import DATABASE_URL, sqlite_file, sqlite_url
from cronq.commands.settings import read_setting, state_folder
from cronq.database import gateway, schema
from cronq.domain.access import Actor, BadAccess, Via
from cronq.domain.errors import DatabaseUnavailable, NotPossible

T = TypeVar("T")
_HINT = "Say where the database is with --database-url or DATABASE_URL."
#: Where `make run` keeps its state, seen from where that is typed.
_STATE_OF_MAKE_RUN = Path("var/state")


class Store:
    """A database. Whatever is done with it raises `CommandFailed` when it does not answer."""

    def __init__(self, engine: Engine, hint: str = _HINT) -> None:
        """`hint` is what to do when it does not answer, or has not the tables of this version."""
        self._engine = engine
        self._hint = hint

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
            raise CommandFailed(message, Exit.UNREACHABLE, self._hint)

    def _done(self, do: Callable[..., Any], function: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            result: T = do(self._engine, function, *arguments)
        except DatabaseUnavailable as error:
            raise CommandFailed(str(error), Exit.UNREACHABLE, self._hint) from error
        except NotPossible as error:
            raise CommandFailed(str(error), Exit.CONFLICT) from error
        return result


def open_store(database_url: str | None) -> Store:
    """The database at that URL, or where the environment says; raises `BadSetting` and `CommandFailed`."""
    url = read_setting(DATABASE_URL, database_url, os.environ)
    store = Store(gateway.make_engine(url), _embedded_hint() if url == DATABASE_URL.default else _HINT)
    store.require_tables()
    return store


def _embedded_hint() -> str:
    """What to do when nobody has said where the database is: there may be the file of `twistd cronq`."""
    given = os.environ.get("CRONQ_STATE_PATH")
    for folder in (_STATE_OF_MAKE_RUN, Path(given) if given else state_folder()):
        try:
            path = sqlite_file(folder.expanduser().absolute())
            found = path.is_file()
        except (OSError, RuntimeError):  # one may not look there, or has no home
            continue
        if found:
            return f"{_HINT} That of cronq all in one is here: --database-url {quote(sqlite_url(path))}"
    return _HINT


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
