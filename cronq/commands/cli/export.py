"""`cronq export`: the document of a category, as it is stored."""

import click

from cronq.commands.cli.api import read_document_of
from cronq.commands.cli.session import Session, examples, json_option, say, say_json, url_option
from cronq.domain.document_writing import json_for_people


@click.command(
    epilog=examples("cronq export example > example.json", "cronq export example | cronq apply --dry-run -")
)
@click.argument("category")
@json_option
@url_option
@click.pass_obj
def export(session: Session, category: str, as_json: bool) -> None:
    """Print the document of a category, as it is stored.

    To apply it again changes nothing. Each job says itself what it had from the defaults of its document.
    """
    document = read_document_of(session.server(), category)
    if as_json:
        say_json(document)
    else:
        say(json_for_people(document).splitlines())
