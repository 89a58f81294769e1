"""The life of a run: which statuses there are, and which moves between them."""

from datetime import datetime, timedelta

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.runs import MOVES, Status, may_move, new_run_id, new_run_ids, new_token

NOW = datetime(2026, 11, 23, 7, 4, 55, 123456)


class StatusTests(SynchronousTestCase):
    """The words that other programs read."""

    def test_words(self) -> None:
        """The ledger knows these words and no others."""
        self.assertEqual(
            {status.value for status in Status},
            {
                "queued",
                "running",
                "succeeded",
                "failed",
                "timed_out",
                "killed",
                "lost",
                "skipped",
                "missed",
                "unroutable",
            },
        )

    def test_final(self) -> None:
        """A run is over unless it waits or runs."""
        self.assertEqual({status for status in Status if not status.final}, {Status.QUEUED, Status.RUNNING})


class MoveTests(SynchronousTestCase):
    """The arrows."""

    def test_all_legal_moves(self) -> None:
        """A run goes forward, and back when its grant reached no one or its runner turns up after all."""
        ends = "succeeded failed timed_out killed"
        arrows = {
            "queued": f"running lost skipped missed unroutable {ends}",
            "running": f"queued lost {ends}",
            "lost": f"running {ends}",
        }
        for old in Status:
            allowed = {new for new in Status if may_move(old, new)}
            self.assertEqual(allowed, {Status(word) for word in arrows.get(old, "").split()}, old)

    def test_no_status_is_forgotten(self) -> None:
        """The table has a line for each status."""
        self.assertEqual(set(MOVES), set(Status))


class RunIdTests(SynchronousTestCase):
    """The names of runs."""

    def test_form(self) -> None:
        """An id is 32 lower-case hex digits, and so is a token."""
        for name in (new_run_id(NOW), new_run_id(datetime(1970, 1, 1)), new_token()):
            self.assertRegex(name, r"\A[0-9a-f]{32}\Z")

    def test_sorted_by_time(self) -> None:
        """Ids of later runs come later, so that they stand side by side in an index."""
        ids = [new_run_id(NOW + timedelta(milliseconds=n)) for n in range(100)]
        self.assertEqual(ids, sorted(ids))

    def test_several_at_once(self) -> None:
        """Ids of one batch are all different and in ascending order."""
        ids = new_run_ids(NOW, 1000)
        self.assertEqual(len(set(ids)), 1000)
        self.assertEqual(ids, sorted(ids))
