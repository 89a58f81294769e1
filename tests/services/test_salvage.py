"""What a runner does for dead neighbours: it ends what they left running, and reports it."""

from pathlib import Path

from twisted.internet.defer import maybeDeferred

from cronq.broker.interface import RESULTS
from cronq.domain.messages import Report, ResultMessage
from cronq.execution.leftovers import Leftover
from cronq.services.notebook import FILE, Notebook
from cronq.services.reporting import Reports
from cronq.services.salvage import INTERVAL, Salvage
from cronq.services.state_folder import HOME, LOCK, LockedFolder, home_id, lock_free_folders
from tests.services.cases import WorldTestCase

RUN_ID = "a" * 32
LEFT = Leftover(RUN_ID, 4711, 1, "boot")


class SalvageTests(WorldTestCase):
    """Two runners of one home, of which the second is dead."""

    def setUp(self) -> None:
        super().setUp()
        self.runners = self.new_folder()
        self.ended: list[Leftover] = []
        self.own, self.neighbour = self.lock(), self.lock()
        self.process = self.world.process("runner")
        self.world.run_for(0)
        self.notebook = self.open_notes(self.own.path)
        self.notebook.begin_life("own")
        reports = Reports(self.process.broker, self.notebook, self.process.clock)
        self.process.run(
            Salvage(
                self.runners,
                self.open_notes,
                reports,
                self.process.clock,
                self.world.now,
                "host",
                self.end,
            )
        )

    def lock(self) -> LockedFolder:
        (folder,) = lock_free_folders(self.runners)
        return folder

    def open_notes(self, folder: Path) -> Notebook:
        return Notebook(folder, maybeDeferred)

    def end(self, left: Leftover) -> bool:
        self.ended.append(left)
        return True

    def reported(self) -> list[ResultMessage]:
        return [ResultMessage.decode(body) for body in self.world.broker.messages(RESULTS)]

    def die(self) -> None:
        """The neighbour ran something, had something to report, and is no more."""
        notes = self.open_notes(self.neighbour.path)
        notes.begin_life("neighbour")
        notes.note_started(1, LEFT)
        notes.note_report(
            ResultMessage("b" * 32, 2, Report.FINISHED, self.world.now(), "host", return_code=3)
        )
        self.neighbour.release()

    def test_dead(self) -> None:
        """What it left is ended and lost, what it had to report is reported, and its folder is free again."""
        self.die()
        self.world.run_for(INTERVAL)
        self.assertEqual(self.ended, [LEFT])
        self.assertEqual(
            {(report.run_id, report.report, report.return_code) for report in self.reported()},
            {(RUN_ID, Report.LOST, None), ("b" * 32, Report.FINISHED, 3)},
        )
        self.assertEqual(self.notebook.ended_lives, {"neighbour"})
        self.assertEqual([path.name for path in self.neighbour.path.iterdir()], [LOCK])
        again = self.lock()
        self.assertEqual(again.path, self.neighbour.path)
        self.world.run_for(3 * INTERVAL)
        self.assertEqual(len(self.ended), 1)

    def test_alive(self) -> None:
        """What a living neighbour has is its own affair."""
        self.open_notes(self.neighbour.path).note_started(1, LEFT)
        self.world.run_for(3 * INTERVAL)
        self.assertEqual((self.ended, self.reported()), ([], []))

    def test_nothing_left(self) -> None:
        """A folder in which nothing is noted is left as it is, again and again."""
        self.neighbour.release()
        self.world.run_for(3 * INTERVAL)
        self.assertEqual(self.reported(), [])
        self.assertFalse((self.neighbour.path / FILE).exists())

    def test_kept_until_delivered(self) -> None:
        """What was taken over while the broker is away is in the own notes when this runner dies, too."""
        self.world.broker.down()
        self.die()
        self.world.run_for(INTERVAL)
        self.process.kill()
        self.assertEqual(len(self.open_notes(self.own.path).undelivered), 2)

    def test_cannot_be_read(self) -> None:
        """A folder that cannot be taken over is told of, and tried again."""
        (self.neighbour.path / FILE).mkdir()
        self.neighbour.release()
        self.world.run_for(2 * INTERVAL + 1)
        self.assert_said("cannot be taken over: Is a directory", times=2)


class HomeTests(WorldTestCase):
    def test_made_once(self) -> None:
        """All runners of a folder have the same home, at all times, and others have another."""
        here, there = self.new_folder(), self.new_folder()
        self.assertEqual(home_id(here), home_id(here))
        self.assertNotEqual(home_id(here), home_id(there))
        self.assertRegex(home_id(here), "^[0-9a-f]{32}$")
        self.assertEqual(len(list(here.iterdir())), 1)

    def test_torn(self) -> None:
        """An id of which a power failure has left nothing is made again."""
        here = self.new_folder()
        (here / HOME).touch()
        self.assertRegex(home_id(here), "^[0-9a-f]{32}$")
        self.assertEqual(home_id(here), home_id(here))
