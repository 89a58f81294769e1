"""What the commands about users and tokens have in common."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import click

from cronq.commands.cli.session import tell
from cronq.commands.cli.terminal import Column
from cronq.domain.access import Role

ROLES = click.Choice([role.value for role in Role])
RIGHTS_COLUMNS = (Column("ROLE"), Column("CATEGORIES", least=10))


def database_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --database-url."""
    what = "Where the database is.  [DATABASE_URL]"
    return click.option("--database-url", metavar="URL", help=what)(command)


def category_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --category, which may be repeated."""
    what = "Only in this category may it do more than look; may be repeated."
    return click.option("--category", "categories", multiple=True, metavar="NAME", help=what)(command)


def tell_what_is_missing(store: Any, categories: Iterable[str] | None) -> None:
    """Say which of these categories are not there: each may come later, or be a slip."""
    from cronq.database.reading.categories import find_category

    for name in sorted(categories or ()):
        if store.read(find_category, name) is None:
            tell(f"There is no category {name} by now.")


def rights(role: Role, categories: Iterable[str] | None) -> tuple[str, str]:
    """The cells of `RIGHTS_COLUMNS`."""
    return role.value, "all" if categories is None else ", ".join(sorted(categories))


def rights_in_words(role: Role, categories: Iterable[str] | None) -> str:
    """A role and its limit, as part of a sentence."""
    return role.value if categories is None else f"{role.value} of {', '.join(sorted(categories))}"


def shape_of(record: Any, keys: Sequence[str]) -> dict[str, Any]:
    """A record of a user or token with these attributes."""
    return {key: _plain(getattr(record, key)) for key in ("name", "role", "categories", *keys)}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
