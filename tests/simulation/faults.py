"""What may go wrong. Each fault strikes a history, and says in words what it was."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from cronq.broker.interface import JOBS, RESULTS, Message
from cronq.database.orders import order_drain
from cronq.domain.messages import ResultMessage
from tests.services.process import Process
from tests.services.world import RunnerProcess
from tests.simulation.jobs import RULES
from tests.simulation.people import backfill, kill_run, pause, pause_in_catch_up, replace, run_by_hand, skip

if TYPE_CHECKING:
    from tests.simulation.history import History

Fault = Callable[["History"], str]
#: Seconds from fault to fault, on average.
BETWEEN_FAULTS = 900.0
#: Until a broker closes the connection of who says nothing.
SAYS_NOTHING = 120.0


def kill(history: "History") -> str:
    """One process, which is started again after a while."""
    return _kill(history, _any(history))


def kill_all(history: "History") -> str:
    return "; ".join(_kill(history, name) for name in sorted(history.daemons))


def freeze(history: "History") -> str:
    """SIGSTOP; a broker parts from who says nothing for too long, and who wakes up does not know that yet."""
    name, seconds = _any(history), history.span()
    daemon = history.daemons[name]
    daemon.freeze()
    if seconds > SAYS_NOTHING and not history.all_in_one:
        history.later(SAYS_NOTHING, lambda: daemon.cut() if daemon.is_frozen else None)
    history.trouble(seconds, lambda: _thaw(daemon))
    return f"freeze {name} for {seconds:.0f} s"


def cut(history: "History") -> str:
    """One process is parted from the broker, from the database, or from both."""
    name, seconds = _any(history), history.span()
    daemon, where = history.daemons[name], history.chance.choice(("broker", "database", "both"))
    if where != "database":
        daemon.cut()
        history.trouble(seconds, daemon.restore)
    if where != "broker":
        daemon.cut_database()
        history.trouble(seconds, daemon.restore_database)
    return f"cut off {name} from {where} for {seconds:.0f} s"


def consumers_cancelled(history: "History") -> str:
    """The broker cancels all consumers, for which each daemon opens another connection."""
    for daemon in history.daemons.values():
        daemon.cut()
        if not daemon.is_frozen:
            daemon.restore()
    return "all consumers are cancelled"


def stop(history: "History") -> str:
    """SIGTERM, and at times a second one; often to whoever runs what may run out of time meanwhile."""
    limited = [] if history.chance.random() < 0.5 else _running_with_timeout(history)
    name, seconds = history.chance.choice(limited) if limited else _any(history), history.span()
    daemon, again = history.daemons[name], history.chance.random() < 0.4
    if daemon.is_dead or not daemon.services[0].running:
        return f"stop {name}, which is stopping already"
    daemon.stop().addCallback(lambda _: history.later(seconds, lambda: history.start(name)))
    if again and isinstance(daemon, RunnerProcess):
        history.later(seconds / 10, lambda: None if daemon.is_dead else daemon.runner.stop_now())
    return f"stop {name}{' twice' if again else ''}, and start it {seconds:.0f} s later"


def drain(history: "History") -> str:
    """A runner is ordered to come to its end, and is started again later."""
    name = _any(history, RunnerProcess)
    runner = history.daemons[name]
    assert isinstance(runner, RunnerProcess)
    history.world.do(order_drain, runner.identity.runner, "chance wants it")
    history.later(4000.0, lambda: history.daemons.get(name) is runner and _kill(history, name))
    return f"order {name} to drain"


def vanish(history: "History") -> str:
    """A machine is gone for good, and another one takes its place."""
    machine = history.chance.choice(sorted(set(history.machines.values())))
    names = [name for name, place in history.machines.items() if place == machine]
    _power_off(history, machine)
    history.vanished.add(machine)
    another = f"machine {len(history.vanished) + 2}"
    for name in names:
        del history.machines[name], history.daemons[name]
        history.machines[f"{name}'"] = another
        history.start(f"{name}'")
    return f"{machine} vanishes with {', '.join(names)}; {another} is new"


def reboot(history: "History") -> str:
    """Everything on a machine ends, commands included."""
    machine, seconds = _any_machine(history), history.span()
    for name in _power_off(history, machine):
        history.trouble(seconds, lambda name=name: history.start(name))  # type: ignore[misc]
    return f"{machine} loses its power for {seconds:.0f} s"


def disk_full(history: "History") -> str:
    """The state folder of a machine has no space left."""
    machine, seconds = _any_machine(history), history.span()
    folder = history.world.folder / machine
    history.disk.full.add(folder)
    history.trouble(seconds, lambda: history.disk.full.discard(folder))
    return f"the disk of {machine} is full for {seconds:.0f} s"


def broker_away(history: "History") -> str:
    seconds = history.span()
    history.world.broker.down()
    history.trouble(seconds, history.world.broker.up)
    return f"broker away for {seconds:.0f} s"


def purge(history: "History") -> str:
    """Somebody empties a queue."""
    broker, queue = history.world.broker, history.chance.choice((JOBS, JOBS, RESULTS))
    bodies = broker.messages(queue)
    if queue == RESULTS:
        history.excused |= {ResultMessage.decode(body).run_id for body in bodies}
    broker.purge(queue)
    return f"{queue} is purged of {len(bodies)} messages"


def double(history: "History") -> str:
    """Messages come again: jobs, reports, requests and answers, whether just sent or some time ago."""
    again = history.chance.sample(list(history.seen), min(5, len(history.seen)))
    stranger = history.world.broker.connect("stranger")
    stranger.startService()
    for message in again:
        copy = Message(
            message.routing_key, message.body, "again", direct=message.direct, reply_to=message.reply_to
        )
        history.later(0.1, lambda copy=copy: stranger.publish(copy).addErrback(lambda _: None))  # type: ignore[misc]
    history.later(1.0, stranger.stopService)
    return f"{len(again)} messages come again"


def database_away(history: "History") -> str:
    seconds = history.span()
    history.world.database_down()
    history.trouble(seconds, history.world.database_up)
    return f"database away for {seconds:.0f} s"


def database_hangs(history: "History") -> str:
    seconds = history.span()
    history.world.database_hangs()
    history.trouble(seconds, history.world.database_up)
    return f"database hangs for {seconds:.0f} s"


def commit_fails(history: "History") -> str:
    """A daemon hears that its transaction has failed; that may be true."""
    after, committed = history.chance.randint(0, 6), history.chance.random() < 0.5
    history.world.fail_commit(after, committed=committed)
    return f"the commit after {after} more fails, {'done' if committed else 'undone'} all the same"


def database_clock_jumps(history: "History") -> str:
    seconds = history.chance.choice((-1, 1, 1)) * history.span()
    if seconds < 0:
        history.twice.append((history.world.now() + timedelta(seconds=seconds), history.world.now()))
    history.world.jump(seconds)
    return f"the clock of the database jumps by {seconds:.0f} s"


def machine_clock_jumps(history: "History") -> str:
    machine, seconds = _any_machine(history), history.chance.choice((-1, 1)) * history.span()
    history.world.set_ahead(machine, seconds)
    return f"the clock of {machine} is {seconds:.0f} s ahead of the database's"


#: With the weight of each: what may befall one process, with a broker in it, …
ALONE: dict[Fault, int] = {
    kill: 5, freeze: 4, stop: 3, reboot: 1, disk_full: 2, double: 3, database_away: 2, database_hangs: 2,
    commit_fails: 5, database_clock_jumps: 2, machine_clock_jumps: 2, replace: 5, run_by_hand: 3, kill_run: 4,
    backfill: 4, pause: 3, pause_in_catch_up: 2, skip: 2,
}  # fmt: skip
#: … and daemons on several machines.
TOGETHER: dict[Fault, int] = ALONE | {
    kill_all: 1, cut: 6, consumers_cancelled: 1, drain: 2, vanish: 1, broker_away: 2, purge: 2,
}  # fmt: skip


def _any(history: "History", kind: type[Process] = Process) -> str:
    found = [name for name, daemon in history.daemons.items() if isinstance(daemon, kind)]
    return history.chance.choice(sorted(found))


def _running_with_timeout(history: "History") -> list[str]:
    timed = {
        start.run_id for start in history.world.launcher.started
        if start.command.runs and RULES[start.environment["CRONQ_JOB_NAME"]].timeout
    }  # fmt: skip
    return [
        name for name, daemon in sorted(history.daemons.items())
        if isinstance(daemon, RunnerProcess) and timed & daemon.intake.run_ids
    ]  # fmt: skip


def _any_machine(history: "History") -> str:
    return "cronq" if history.all_in_one else history.chance.choice(sorted(set(history.machines.values())))


def _thaw(daemon: Process) -> None:
    daemon.thaw()
    daemon.restore()


def _kill(history: "History", name: str) -> str:
    seconds = history.span()
    _end(history, name)
    history.trouble(seconds, lambda: history.start(name))
    return f"kill {name}, for {seconds:.0f} s"


def _end(history: "History", name: str) -> None:
    """What a process cannot note on a full disk is gone with it."""
    daemon = history.daemons[name]
    if isinstance(daemon, RunnerProcess) and history.world.folder / daemon.machine in history.disk.full:
        history.excused |= {*daemon.intake.run_ids, *(m.run_id for m in daemon.notebook.undelivered.values())}
    daemon.kill()


def _power_off(history: "History", machine: str) -> list[str]:
    """Gives who was there."""
    for start in history.world.launcher.started:
        if start.command.runs and history.world.launcher.places[start.run_id] == machine:
            start.command.vanish()
    there = [
        name for name, daemon in sorted(history.daemons.items())
        if isinstance(daemon, RunnerProcess) and daemon.machine == machine
    ]  # fmt: skip
    for name in there:
        _end(history, name)
    return there
