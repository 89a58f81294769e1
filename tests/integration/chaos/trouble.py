"""Carries out faults: on daemons, on servers and on the wires between them."""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.integration.chaos.plan import Fault, Kind
from tests.servers import Daemon, Proxy
from tests.servers.server import Server

#: Seconds for a daemon to end in good order, before it is killed as an operator's service manager does.
STOPS_WITHIN = 30.0

Victim = Daemon | Server | Proxy


class Troublemaker:
    """Strikes as planned, several victims at once, each by one fault at a time; mends what it has done."""

    def __init__(self, victims: Mapping[str, Victim], tell: Callable[[str], None]) -> None:
        self._victims = victims
        self._tell = tell
        self._busy = {name: threading.Lock() for name in victims}
        #: What has been done.
        self.struck: list[Fault] = []
        #: What the victims did that they must not do, as sentences.
        self.misbehaviour: list[str] = []
        #: How many daemons did not end in time when they were asked to.
        self.stubborn = 0

    def strike_all(self, faults: Iterable[Fault]) -> None:
        """Returns when the last fault is mended; raises what went wrong in a mending."""
        begin = time.monotonic()
        with ThreadPoolExecutor(len(self._victims)) as hands:
            pending = []
            for fault in faults:
                time.sleep(max(0.0, begin + fault.at - time.monotonic()))
                pending.append(hands.submit(self._strike, fault))
        for each in pending:
            each.result()
        ended = (
            name for name, each in self._victims.items() if isinstance(each, Daemon) and not each.running
        )
        self.misbehaviour += [f"{name} has ended by itself" for name in ended]

    def _strike(self, fault: Fault) -> None:
        with self._busy[fault.victim]:
            self._tell(f"{fault.victim}: {fault.kind} for {fault.lasts:g} s")
            victim = self._victims[fault.victim]
            if isinstance(victim, Proxy):
                _strike_wire(victim, fault)
            elif isinstance(victim, Server):
                _strike_server(victim, fault)
            else:
                self._strike_daemon(victim, fault)
            self.struck.append(fault)

    def _strike_daemon(self, daemon: Daemon, fault: Fault) -> None:
        if not daemon.running:
            self.misbehaviour.append(f"{fault.victim} had ended by itself")
            daemon.start()
        if fault.kind in {Kind.STOP, Kind.FREEZE}:
            daemon.signal(signal.SIGSTOP)
            time.sleep(fault.lasts)
            daemon.signal(signal.SIGCONT)
            return
        if fault.kind is Kind.KILL:
            daemon.kill()
        else:
            self._stop(daemon, fault)
        time.sleep(fault.lasts)
        daemon.start()

    def _stop(self, daemon: Daemon, fault: Fault) -> None:
        try:
            daemon.terminate(STOPS_WITHIN)
        except AssertionError:
            self._tell(f"{fault.victim}: does not end, and is killed")
            self.stubborn += 1
            daemon.kill()


def _strike_server(server: Server, fault: Fault) -> None:
    if fault.kind in {Kind.STOP, Kind.FREEZE}:
        server.pause()
        time.sleep(fault.lasts)
        server.resume()
        return
    if fault.kind is Kind.KILL:
        server.kill()
    else:
        server.stop()
    time.sleep(fault.lasts)
    server.start()


def _strike_wire(wire: Proxy, fault: Fault) -> None:
    if fault.kind is Kind.CUT:
        wire.cut()
        return
    if fault.kind is Kind.REFUSE:
        wire.refuse()
    else:
        wire.hang()
    time.sleep(fault.lasts)
    wire.restore()
