"""`cronq status`: is there a cronq, and can it work?"""

import click

from cronq.commands.cli.api import read_status
from cronq.commands.cli.session import Session, examples, json_option, say, say_json, url_option


@click.command(epilog=examples("cronq status", "cronq status --url http://cron.example.com/ && echo up"))
@json_option
@url_option
@click.pass_obj
def status(session: Session, as_json: bool) -> None:
    """Ask whether the web is there and its database answers.

    The exit code is 6 when one of them does not.
    """
    server = session.server()
    said = read_status(server)
    if as_json:
        say_json({"url": server.url, "status": said})
    else:
        say(f"{server.url} is up, and so is its database.")
