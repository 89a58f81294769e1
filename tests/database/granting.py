"""Taking back a grant that reached no one, on any database."""

from dataclasses import replace
from datetime import timedelta

from cronq.database.grants import take_back
from cronq.database.outbox import claim_unpublished
from cronq.database.tables import events
from tests.database.recording import OTHER, RecordingCase

LATER = timedelta(seconds=5)


class TakingBackTests(RecordingCase):
    """A run whose start was granted."""

    def setUp(self) -> None:
        super().setUp()
        self.request = self.asking()
        self.record(self.request)

    def test_queued_again(self) -> None:
        """The run waits again, is published at once, and the next who asks may start it."""
        self.assertTrue(self.do(take_back, self.request))
        self.assertEqual(self.run_row()["status"], "queued")
        self.assertEqual(self.rows(events), [])
        (published,) = self.do(claim_unpublished, 10)
        self.assertEqual(published.run_id, self.run_in_hand.run_id)
        (answer,) = self.record(self.asking(OTHER))
        assert answer is not None
        self.assertTrue(answer.granted)

    def test_asked_again_meanwhile(self) -> None:
        """The runner has a new connection and asked by that: it may have started the command."""
        again = self.request.start_time
        assert again is not None
        self.now += LATER
        (answer,) = self.record(replace(self.request, start_time=again + LATER))
        assert answer is not None
        self.assertTrue(answer.granted)
        self.assertFalse(self.do(take_back, self.request))
        self.assertEqual(self.run_row()["status"], "running")

    def test_asks_after_it_was_taken_back(self) -> None:
        """Then the start is granted anew, to it or to whoever was faster, but not to both."""
        self.do(take_back, self.request)
        (other,) = self.record(self.asking(OTHER))
        (mine,) = self.record(self.request)
        assert mine is not None
        assert other is not None
        self.assertEqual((other.granted, mine.granted), (True, False))

    def test_granted_to_another(self) -> None:
        """What another runner was granted is not taken back."""
        self.do(take_back, self.request)
        self.record(self.asking(OTHER))
        self.assertFalse(self.do(take_back, self.request))
        self.assertEqual(self.run_row()["token"], OTHER)

    def test_ended_meanwhile(self) -> None:
        """A run that is over stays so."""
        self.record(self.finished())
        self.assertFalse(self.do(take_back, self.request))
        self.assertEqual(self.run_row()["status"], "succeeded")
