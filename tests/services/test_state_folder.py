"""The folders of runners: each has its own, and takes over those of the dead."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from cronq.services.state_folder import LOCK, LockedFolder, lock_free_folders


class StateFolderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runners = Path(self.mktemp()) / "runners"
        self.held: list[LockedFolder] = []
        self.addCleanup(self.release_all)

    def lock(self) -> list[LockedFolder]:
        folders = lock_free_folders(self.runners)
        self.held += folders
        return folders

    def release(self, folder: LockedFolder) -> None:
        self.held.remove(folder)
        folder.release()

    def release_all(self) -> None:
        for folder in list(self.held):
            self.release(folder)

    def clear(self, folder: LockedFolder) -> None:
        self.held.remove(folder)
        folder.clear()

    def names(self, folders: list[LockedFolder]) -> list[str]:
        return [folder.path.name for folder in folders]

    def test_each_has_its_own(self) -> None:
        """Runners that run at the same time have different folders."""
        self.assertEqual([self.names(self.lock()) for _ in range(3)], [["1"], ["2"], ["3"]])

    def test_used_again(self) -> None:
        """A runner that starts again has the folder that it had."""
        (first,) = self.lock()
        (first.path / "notes").write_text("kept")
        self.release(first)
        (again,) = self.lock()
        self.assertEqual((again.path / "notes").read_text(), "kept")

    def test_takes_over(self) -> None:
        """A runner gets the folders of all that are dead, and of no one who lives."""
        folders = [self.lock()[0] for _ in range(4)]
        for dead in (folders[1], folders[3]):
            self.release(dead)
        self.assertEqual(self.names(self.lock()), ["2", "4"])

    def test_clear(self) -> None:
        """A folder that was taken over is emptied, and free again."""
        (folder,) = self.lock()
        (folder.path / "notes").write_text("x")
        (folder.path / "notes.new").write_text("x")
        self.clear(folder)
        self.assertEqual([path.name for path in folder.path.iterdir()], [LOCK])
        self.assertEqual(self.names(self.lock()), ["1"])

    def test_nobody_else_may_look(self) -> None:
        """The folders are for the runner's user alone."""
        (folder,) = self.lock()
        self.assertEqual([path.stat().st_mode & 0o077 for path in (self.runners, folder.path)], [0, 0])

    def test_what_is_not_ours(self) -> None:
        """Other files and folders in the same place are left alone."""
        self.runners.mkdir(parents=True)
        (self.runners / "backup").mkdir()
        (self.runners / "7").write_text("a file")
        self.assertEqual(self.names(self.lock()), ["1"])
        self.assertEqual(list((self.runners / "backup").iterdir()), [])

    def test_no_folder(self) -> None:
        """A place that cannot be a folder is an error that says so."""
        self.runners.parent.mkdir()
        self.runners.write_text("a file")
        self.assertRaises(OSError, lock_free_folders, self.runners)

    def test_descriptors(self) -> None:
        """Looking at folders that others hold leaves nothing open."""
        for _ in range(5):
            self.lock()
        before = len(list(Path("/proc/self/fd").iterdir()))
        (sixth,) = lock_free_folders(self.runners)
        sixth.release()
        self.assertEqual(len(list(Path("/proc/self/fd").iterdir())), before)
