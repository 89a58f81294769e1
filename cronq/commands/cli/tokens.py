"""`cronq tokens`: by which programs show who they are."""

from collections.abc import Sequence
from datetime import datetime

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
from cronq.commands.cli.words import ago, at
from cronq.domain.access import Role, check_limit, check_name
from cronq.domain.durations import add_months, parse_duration
from cronq.domain.errors import BadSchedule

_COLUMNS = (
    Column("NAME", least=8),
    Column("TOKEN"),
    *RIGHTS_COLUMNS,
    Column("MADE BY", least=8),
    Column("EXPIRES"),
    Column("LAST USED"),
)


@click.group(
    epilog=examples("cronq tokens add deploy --role editor --expires P90D", "cronq tokens revoke deploy")
)
def tokens() -> None:
    """Make and revoke the tokens by which programs show the web who they are.

    It works on the database itself. A program sends its token in the header Authorization: Bearer cq_…;
    `cronq` finds it in CRONQ_TOKEN.
    """


@tokens.command(epilog=examples("cronq tokens add deploy --role editor --category billing --expires P90D"))
@click.argument("name")
@click.option("--role", type=ROLES, default=Role.VIEWER.value, show_default=True, help="What it is good for.")
@category_option
@click.option("--expires", metavar="IN", help="After this time, as in P90D.  [never]")
@database_option
def add(
    name: str, role: str, categories: Sequence[str], expires: str | None, database_url: str | None
) -> None:
    """Make a token, and print it: it is kept nowhere, and cannot be shown again."""
    from cronq.commands.cli.store import accepted, open_store
    from cronq.database import gateway
    from cronq.database.tokens import add_token

    accepted(check_name, name)
    limit = accepted(check_limit, Role(role), categories)
    store = open_store(database_url)
    end = None if expires is None else _end(expires, store.read(gateway.now))
    token = store.change(add_token, name, Role(role), limit, end)
    tell(f"The token {name} is good for {rights_in_words(Role(role), limit)}; it is not shown again:")
    say(token)
    tell_what_is_missing(store, limit)


@tokens.command(name="list")
@json_option
@database_option
def list_(as_json: bool, database_url: str | None) -> None:
    """List the tokens; of each only its first characters are known."""
    from cronq.commands.cli.store import open_store
    from cronq.database import gateway
    from cronq.database.tokens import TokenRecord, list_tokens

    def row(token: TokenRecord) -> tuple[str, ...]:
        return (
            token.name,
            f"{token.hint}…",
            *rights(token.role, token.categories),
            token.added_by or "",
            at(token.expires_at, now),
            ago(token.used_at, now) or "never",
        )

    store = open_store(database_url)
    found, now = store.read(list_tokens), store.read(gateway.now)
    if as_json:
        for token in found:
            say_json(shape_of(token, ["hint", "added_at", "added_by", "expires_at", "used_at"]))
    elif found:
        say(table(_COLUMNS, map(row, found), None))
    else:
        tell("There are no tokens.")


@tokens.command()
@click.argument("name")
@database_option
def revoke(name: str, database_url: str | None) -> None:
    """Make a token worthless."""
    from cronq.commands.cli.store import open_store
    from cronq.database.tokens import revoke_token

    open_store(database_url).change(revoke_token, name)
    say(harmless(f"The token {name} is good for nothing any more."))


def _end(expires: str, now: datetime) -> datetime:
    try:
        duration = parse_duration(expires)
        return add_months(now, duration.months) + duration.exact
    except (BadSchedule, OverflowError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="'--expires'") from error
