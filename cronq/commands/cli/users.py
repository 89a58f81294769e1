"""`cronq users`: those who may log in on the web."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from cronq.commands.cli.rights import (
    RIGHTS_COLUMNS,
    ROLES,
    category_option,
    database_option,
    rights,
    rights_in_words,
    shape_of,
    tell_what_is_missing,
)
from cronq.commands.cli.session import examples, json_option, say, say_json, tell
from cronq.commands.cli.terminal import Column, harmless, table
from cronq.commands.cli.words import ago
from cronq.domain.access import Role, check_limit, check_name, check_password

_COLUMNS = (Column("NAME", least=8), *RIGHTS_COLUMNS, Column("PASSWORD"), Column("LAST LOGIN"))


@click.group(
    epilog=examples(
        "cronq users add anna", "cronq users role bob editor --category billing", "cronq users passwd anna"
    )
)
def users() -> None:
    """Say who may log in on the web, and what they may do there.

    It works on the database itself. As soon as there is a user, the web asks everybody for a login.
    Roles: a viewer looks at everything, an operator also runs, kills and pauses jobs, an editor also changes
    jobs, and so runs any code on the runners, an admin also changes users and tokens.
    """


@users.command(
    epilog=examples("cronq users add anna", "cronq users add bob --role editor --category billing")
)
@click.argument("name")
@click.option("--role", type=ROLES, help="What they may do.  [the first user: admin; others: viewer]")
@category_option
@click.option("--no-password", is_flag=True, help="Only a proxy that is trusted says that it is them.")
@database_option
def add(
    name: str, role: str | None, categories: Sequence[str], no_password: bool, database_url: str | None
) -> None:
    """Add a user, with a password that is asked for, or is the first line of standard input."""
    from cronq.commands.cli.store import accepted, open_store
    from cronq.database.passwords import digest_password
    from cronq.database.users import add_user, any_users

    accepted(check_name, name)
    store = open_store(database_url)
    first = not store.read(any_users)
    chosen = Role(role or (Role.ADMIN if first else Role.VIEWER))
    limit = accepted(check_limit, chosen, categories)
    digest = None if no_password else digest_password(accepted(check_password, _ask_password(), name))
    store.change(add_user, name, chosen, limit, digest)
    say(f"{name} may log in as {harmless(rights_in_words(chosen, limit))}.")
    tell_what_is_missing(store, limit)
    if first:
        tell("From now on the web asks for a login.")
    if first and chosen is not Role.ADMIN:
        tell(f"Nobody is an admin, who could see to users and tokens: `cronq users role {name} admin`.")


@users.command(name="list")
@json_option
@database_option
def list_(as_json: bool, database_url: str | None) -> None:
    """List the users."""
    from cronq.commands.cli.store import open_store
    from cronq.database import gateway
    from cronq.database.users import UserRecord, list_users

    def row(user: UserRecord) -> tuple[str, ...]:
        login = "never" if user.logged_in_at is None else ago(user.logged_in_at, now)
        return user.name, *rights(user.role, user.categories), "yes" if user.password else "no", login

    store = open_store(database_url)
    found, now = store.read(list_users), store.read(gateway.now)
    if as_json:
        for user in found:
            say_json(_shape(user))
    elif found:
        say(table(_COLUMNS, map(row, found), None))
    else:
        tell("There are no users: the web listens on loopback only, and asks nobody for a login.")


@users.command()
@click.argument("name")
@click.option("--no-password", is_flag=True, help="Only a proxy that is trusted says that it is them.")
@database_option
def passwd(name: str, no_password: bool, database_url: str | None) -> None:
    """Give a user another password, and log them out everywhere."""
    from cronq.commands.cli.store import accepted, open_store
    from cronq.database.passwords import digest_password
    from cronq.database.users import set_password

    store = open_store(database_url)
    digest = None if no_password else digest_password(accepted(check_password, _ask_password(), name))
    store.change(set_password, name, digest)
    say(harmless(f"{name} has {'no password any more' if no_password else 'a new password'}."))


@users.command()
@click.argument("name")
@click.argument("role", type=ROLES)
@category_option
@database_option
def role(name: str, role: str, categories: Sequence[str], database_url: str | None) -> None:
    """Give a user another role, in all categories or only in some."""
    from cronq.commands.cli.store import accepted, open_store
    from cronq.database.users import change_user

    limit = accepted(check_limit, Role(role), categories)
    store = open_store(database_url)
    store.change(change_user, name, Role(role), limit)
    say(harmless(f"{name} is {rights_in_words(Role(role), limit)} now."))
    tell_what_is_missing(store, limit)


@users.command()
@click.argument("name")
@database_option
def logout(name: str, database_url: str | None) -> None:
    """Log a user out everywhere."""
    from cronq.commands.cli.store import open_store
    from cronq.database.sessions import end_sessions

    ended = open_store(database_url).change(end_sessions, name)
    say(harmless(f"{name} is logged out; there were {ended} sessions."))


@users.command()
@click.argument("name")
@database_option
def remove(name: str, database_url: str | None) -> None:
    """Remove a user, and log them out everywhere. Tokens that they have made stay."""
    from cronq.commands.cli.store import open_store
    from cronq.database.users import any_users, remove_user

    store = open_store(database_url)
    store.change(remove_user, name)
    say(harmless(f"{name} is removed."))
    if not store.read(any_users):
        tell("There are no users any more: everybody on the machine of the web may do everything there.")


def _ask_password() -> str:
    """The password that somebody types twice, or the first line of what is sent in."""
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")


def _shape(user: Any) -> dict[str, Any]:
    shape = shape_of(user, ["added_at", "logged_in_at"])
    return shape | {"has_password": user.password is not None}
