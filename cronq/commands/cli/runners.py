"""`cronq runners`: who runs the commands, and how to take one of them out of service."""

import click

from cronq.commands.cli.answers import Runner
from cronq.commands.cli.api import drain_runner, list_runners
from cronq.commands.cli.server import Server
from cronq.commands.cli.session import Session, examples, json_option, say, say_json, tell, url_option
from cronq.commands.cli.terminal import Column, harmless, table
from cronq.commands.cli.words import ago, painted_runner
from cronq.domain.heartbeats import RunnerStatus
from cronq.web.words.times import clock_in_words

_COLUMNS = (
    Column("ID"),
    Column("STATUS", paint=painted_runner),
    Column("IN USE", right=True),
    Column("LAST HEARD"),
    Column("QUEUE", least=10, expendable=1),
    Column("ROUTING KEYS", least=12, expendable=2),
    Column("HOST", least=8, expendable=5),
    Column("CLOCK", expendable=3),
    Column("VERSION", expendable=4),
)


@click.group(
    invoke_without_command=True,
    subcommand_metavar="[drain ID]",
    epilog=examples(
        "cronq runners",
        "cronq runners --json | jq '.runs[].name'",
        "cronq runners drain worker-1-0b5f3d1c9a2e",
    ),
)
@click.option("--all", "everything", is_flag=True, help="Also those that have stopped.")
@json_option
@url_option
@click.pass_context
def runners(context: click.Context, everything: bool, as_json: bool) -> None:
    """List the runners, how busy they are, and when each was last heard of.

    With drain ID, tell one of them to take nothing new and to end.
    """
    if context.invoked_subcommand is not None:
        if everything or as_json:
            raise click.UsageError("what is said before drain is for the list; put it behind")
        return
    session: Session = context.obj
    server = session.server()
    found = list(list_runners(server))
    here = [each for each in found if everything or each.status != RunnerStatus.STOPPED]
    if as_json:
        for runner in here:
            say_json(runner.raw)
    elif here:
        say(table(_COLUMNS, [_row(runner, server) for runner in here], session.outside.width()))
    if not here:
        tell(_absence(len(found)))


@runners.command(
    short_help="Tell a runner to take nothing new, and to end.",
    epilog=examples(
        "cronq runners drain worker-1-0b5f3d1c9a2e", "cronq runners drain --json worker-1-0b5f3d1c9a2e"
    ),
)
@click.argument("name", metavar="ID")
@json_option
@url_option
@click.pass_obj
def drain(session: Session, name: str, as_json: bool) -> None:
    """Tell a runner to take nothing new, to finish what it has in hand, and to end.

    ID is as `cronq runners` lists it. To drain it twice does no harm.
    """
    message = drain_runner(session.server(), name)
    if as_json:
        say_json({"id": name, "message": message})
    else:
        say(harmless(message))


def _absence(stopped: int) -> str:
    if stopped:
        return f"No runner is up; `cronq runners --all` lists {stopped} that have stopped."
    return "There are no runners. `twistd -n cronq-runner` starts one."


def _row(runner: Runner, server: Server) -> tuple[str, ...]:
    return (
        runner.id,
        runner.status,
        f"{runner.busy} of {runner.concurrency}",
        ago(runner.last_heard, server.now()),
        runner.queue,
        ", ".join(runner.routing_keys),
        runner.host,
        clock_in_words(runner.clock_ahead),
        runner.version,
    )
