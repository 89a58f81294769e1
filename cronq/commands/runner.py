"""`cronq-runner`: runs the commands."""

import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from twisted.application.service import IService

from cronq.broker.interface import DEAD, DEFAULT_ROUTING_KEY, HEARTBEATS, JOBS, RESULTS, Broker, Queue
from cronq.commands.common import RABBITMQ_URL, VERBOSE, Values, amqp_broker, first_services, utc_now
from cronq.commands.options import DaemonOptions
from cronq.commands.program import run_in_foreground
from cronq.commands.reactor import steady_reactor
from cronq.commands.runner_service import RunnerService
from cronq.commands.sentry import SENTRY_DSN
from cronq.commands.settings import (
    Setting,
    byte_count,
    folder,
    is_amqp_word,
    log_folder,
    seconds,
    state_folder,
    whole_number,
    yes_or_no,
)
from cronq.domain.messages import JobMessage
from cronq.domain.runs import new_token
from cronq.execution.logs import JobLog, LimitedLog, Log
from cronq.execution.process import ProcessLauncher
from cronq.services.intake import Intake
from cronq.services.mailbox import Mailbox
from cronq.services.notebook import Notebook
from cronq.services.output import FileOutput, ToldOutput
from cronq.services.reporting import Reports
from cronq.services.runner import Identity, Runner
from cronq.services.running import Output, Workplace
from cronq.services.sequence import Sequence
from cronq.services.starting import Starts

#: Never passed on to commands; `CRONQ_HIDE` names more, separated by commas.
HIDDEN = ("RABBITMQ_URL", "RABBITMQ_URL_FILE", "SECRET_KEY", "SECRET_KEY_FILE", "CRONQ_HIDE")

#: Names of queues, or routing keys, that have another meaning.
TAKEN = (RESULTS, DEAD, HEARTBEATS)


def name_for_jobs(value: str) -> str:
    """A name of a queue, or a routing key: any that is not taken."""
    if not is_amqp_word(value) or value in TAKEN or value.startswith("amq."):
        raise ValueError(f"1 to 255 bytes, and not {', '.join(TAKEN)} or amq.…, which are taken")
    return value


def names_for_jobs(value: str) -> tuple[str, ...]:
    """Several of them, separated by commas."""
    return tuple(name_for_jobs(word.strip()) for word in value.split(","))


QUEUE = Setting("queue", ("CRONQ_QUEUE",), name_for_jobs, JOBS, "the queue to take jobs from")
ROUTING_KEY = Setting(
    "routing_key",
    ("CRONQ_ROUTING_KEYS",),
    names_for_jobs,
    None,
    f"a routing key bound to that queue; may be repeated (default: {DEFAULT_ROUTING_KEY} for {JOBS}, else the"
    " queue's name)",
    repeatable=True,
)
CONCURRENCY = Setting(
    "concurrency",
    ("CRONQ_CONCURRENCY",),
    whole_number(1, 10_000),
    str(len(os.sched_getaffinity(0))),
    "how many commands run at once",
)
DRAIN_SECONDS = Setting(
    "drain_seconds",
    ("CRONQ_DRAIN_SECONDS",),
    seconds(0, 7 * 86_400),
    "300",
    "how long to wait for running commands when stopping",
)
LOG_TO_STDOUT = Setting(
    "log_to_stdout",
    ("CRONQ_RUNNER_LOG_TO_STDOUT",),
    yes_or_no,
    False,
    "write the output of jobs to the daemon's own log, too",
    flag=True,
)
LOG_LIMIT = Setting(
    "log_limit",
    ("CRONQ_LOG_LIMIT",),
    byte_count,
    "4G",
    "how much output of one run goes into the log of its job; 0 for no limit",
)
LOG_PATH = Setting("log_path", ("LOG_PATH",), folder, None, "the folder for the logs of jobs")
STATE_PATH = Setting(
    "state_path", ("CRONQ_STATE_PATH",), folder, None, "the folder for what must not be forgotten"
)

RUNNER_SETTINGS = (
    QUEUE,
    ROUTING_KEY,
    CONCURRENCY,
    DRAIN_SECONDS,
    LOG_TO_STDOUT,
    LOG_LIMIT,
    LOG_PATH,
    STATE_PATH,
)


class Options(DaemonOptions):
    """Command line of a runner."""

    program = "cronq-runner"
    settings: ClassVar[tuple[Setting, ...]] = (RABBITMQ_URL, *RUNNER_SETTINGS, SENTRY_DSN, VERBOSE)


def makeService(options: Options) -> IService:
    """Build the daemon; nothing is opened yet."""
    reactor = steady_reactor()
    values = options.chosen
    broker = amqp_broker(reactor, values.rabbitmq_url, Options.program)
    runner = make_runner(reactor, values, broker, options, drained=reactor.stop)
    return Sequence.of([*first_services(reactor, values, Options.program, runner.stop_now), broker, runner])


def make_runner(
    reactor: Any, values: Values, broker: Broker, options: DaemonOptions, drained: Callable[[], None]
) -> RunnerService:
    """A runner, which reads its notes when it starts; `drained` is called when an order has made it drain."""
    folders = state_path(values, options) / "runners"
    log_path = values.log_path or log_folder()
    return RunnerService(folders, reactor, partial(_build, reactor, values, broker, log_path, drained))


def state_path(values: Values, options: DaemonOptions) -> Path:
    """The folder for what must not be forgotten, as given or as usual."""
    given: Path | None = values.state_path
    if given:
        return given
    usual = state_folder()
    try:
        return folder(str(usual))
    except ValueError as error:
        raise options.refused(f"CRONQ_STATE_PATH: {usual} cannot be used: expected {error}") from error


def _build(
    reactor: Any,
    values: Values,
    broker: Broker,
    log_path: Path,
    drained: Callable[[], None],
    notebook: Notebook,
    home: str,
) -> Runner:
    host = socket.gethostname()
    identity = Identity(f"{host[:40]}-{new_token()[:12]}", host, home)
    reports = Reports(broker, notebook, reactor)
    place = Workplace(
        launcher=ProcessLauncher(reactor),
        broker=broker,
        reports=reports,
        clock=reactor,
        now=utc_now,
        open_output=partial(_open_output, log_path, values.log_limit, values.log_to_stdout),
        environment=command_environment(os.environ),
        host=host,
        runner=identity.runner,
    )
    mailbox = Mailbox(broker, identity.runner)
    starts = Starts(broker, reactor, utc_now, _seconds_since_boot, host, identity.runner, mailbox)
    intake = Intake(broker, queue_of(values), starts, place, reactor, values.concurrency)
    return Runner(identity, broker, intake, starts, mailbox, reports, reactor, values.drain_seconds, drained)


def _seconds_since_boot() -> float:
    # Unlike the monotonic clock it goes on while the machine is suspended (clock_gettime(2)).
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def queue_of(values: Values) -> Queue:
    """What a runner consumes."""
    keys = [key for keys in values.routing_key or () for key in ([keys] if isinstance(keys, str) else keys)]
    default = DEFAULT_ROUTING_KEY if values.queue == JOBS else values.queue
    return Queue(values.queue, tuple(dict.fromkeys(keys)) or (default,))


def command_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The runner's own environment without what commands have no business with."""
    hidden = {*HIDDEN, *(name.strip() for name in environment.get("CRONQ_HIDE", "").split(","))}
    return {name: value for name, value in environment.items() if name not in hidden}


def _open_output(log_path: Path, limit: int, told: bool, job: JobMessage) -> Output:
    job_log: Log = JobLog(log_path, job.name, time.monotonic)
    if limit:
        job_log = LimitedLog(job_log, limit, job.run_id)
    return ToldOutput(job_log, job) if told else FileOutput(job_log)


def main() -> None:
    """The console script."""
    run_in_foreground(Options.program)
