"""How the daemons are put together: of which parts, and that nothing is opened before they start."""

import gc
import importlib
import subprocess
import threading
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.internet import reactor

from cronq.commands.common import identity, is_dead
from cronq.commands.database import DatabaseService
from cronq.commands.runner_service import RunnerService
from cronq.commands.stopping import Signals
from cronq.commands.web import WebService
from cronq.services.injector import Injector, Republisher
from cronq.services.results import Results
from tests.commands.case import PROGRAMS, CommandLineCase

ODD = "a?b=c#d%20e f:g@h"


class CompositionTests(CommandLineCase):
    """The services of each daemon."""

    def setUp(self) -> None:
        super().setUp()
        self.state = self.folder().absolute() / ODD
        self.patch(reactor, "seconds", reactor.seconds)  # which a daemon changes for good
        self.environment["CRONQ_STATE_PATH"] = str(self.state)

    def made(self, program: str) -> list[Any]:
        """The services of a daemon, in the order in which they start."""
        module: Any = importlib.import_module(f"cronq.commands.{PROGRAMS[program]}")
        options = module.Options()
        options.parseOptions([])
        return list(module.makeService(options))

    def test_parts(self) -> None:
        """Each daemon has its own duties, and only those; who uses something starts after it."""
        duties = (Injector, Republisher, Results, RunnerService, WebService)
        for program, expected in (
            ("cronq-injector", [Injector, Republisher]),
            ("cronq-runner", [RunnerService]),
            ("cronq-results", [Results]),
            ("cronq-web", [WebService]),
            ("cronq", [Results, WebService, RunnerService, Injector, Republisher]),
        ):
            parts = self.made(program)
            self.assertIsInstance(parts[0], Signals)
            self.assertEqual([type(each) for each in parts if isinstance(each, duties)], expected)
            self.assertTrue(all(IService.providedBy(each) for each in parts))

    def test_names_of_the_dead(self) -> None:
        """Only of a process of this very host that has ended is it known that it is dead."""
        with subprocess.Popen(["true"]) as ended:
            ended.wait()
        host, _, mine = identity().rpartition(".")
        names = f"{host}.{mine}", f"{host}.{ended.pid}", f"{host}-2.{ended.pid}", host, f"{host}.x", ""
        self.assertEqual([is_dead(each) for each in names], [False, True, *[False] * 4])

    def test_nothing_is_opened(self) -> None:
        """Before a daemon is in the background it has no thread, no descriptor and no file of its own."""
        self.made("cronq")  # what importing opens is Python's own
        gc.collect()  # what earlier tests left open is closed now, and not in between
        for program in PROGRAMS:
            before = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
            self.made(program)
            after = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
            self.assertEqual(after, before, program)
        self.assertEqual(list(self.state.iterdir()), [])

    def test_file_in_the_state_folder(self) -> None:
        """Unless told otherwise `cronq` keeps its SQLite file in the state folder, whatever its name."""
        (owner,) = (each for each in self.made("cronq") if isinstance(each, DatabaseService))
        self.assertEqual(owner.database.engine.url.database, str(self.state / "cronq.sqlite"))
