"""Why a run is queued for long, as far as the web can say."""

from cronq.commands.cli.answers import Runner
from cronq.commands.cli.api import list_runners, read_waiting
from cronq.commands.cli.exits import CommandFailed
from cronq.commands.cli.server import Server
from cronq.domain.heartbeats import RunnerStatus

_NOT_YET = "No runner has taken it yet"


def why_queued(server: Server, run_id: str) -> str:
    """A sentence about what it waits for."""
    try:
        waiting = read_waiting(server, run_id)
        if waiting.reason:
            return f"It has not started yet: {waiting.reason}"
        key = waiting.routing_key
        return _why(key, [each for each in list_runners(server) if _takes(each, key)])
    except CommandFailed:
        # It is only to help; whoever waits finds out by what they wait for what is wrong with the web.
        return f"{_NOT_YET}: are an injector and a runner for its routing key up?"


def _takes(runner: Runner, routing_key: str) -> bool:
    return runner.status == RunnerStatus.UP and routing_key in runner.routing_keys


def _why(routing_key: str, runners: list[Runner]) -> str:
    if not runners:
        return f"{_NOT_YET}: none is up for the routing key {routing_key}."
    places, taken = sum(each.concurrency for each in runners), sum(each.busy for each in runners)
    who = "the runner" if len(runners) == 1 else f"the {len(runners)} runners"
    has = "has" if len(runners) == 1 else "have"
    use = f"{taken:,} of {places:,} places in use"
    if taken >= places:
        return f"{_NOT_YET}: {who} for the routing key {routing_key} {has} {use}."
    return f"{_NOT_YET}, though {who} for the routing key {routing_key} {has} only {use}: is an injector up?"
