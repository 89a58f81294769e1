"""Several parties waiting for one thing."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from cronq.broker.waiting import Waiters


class WaitersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.waiters: Waiters[str] = Waiters()

    def test_all_that_wait_are_told_once(self) -> None:
        """Each hears of what happens next, and of nothing after that."""
        both = [self.waiters.wait(), self.waiters.wait()]
        self.waiters.tell("now")
        late = self.waiters.wait()
        self.assertEqual([self.successResultOf(each) for each in both], ["now", "now"])
        self.assertNoResult(late)

    def test_bad_news(self) -> None:
        """A failure reaches all."""
        both = [self.waiters.wait(), self.waiters.wait()]
        self.waiters.tell(Failure(ZeroDivisionError()))
        for each in both:
            self.failureResultOf(each, ZeroDivisionError)

    def test_who_gives_up_disturbs_no_other(self) -> None:
        """One waiter's cancel is its own."""
        first, second = self.waiters.wait(), self.waiters.wait()
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.waiters.tell("now")
        self.assertEqual(self.successResultOf(second), "now")

    def test_who_is_called_off_by_the_news_of_another(self) -> None:
        """The first to hear may call off the second."""
        first, second = self.waiters.wait(), self.waiters.wait()
        first.addCallback(lambda _: second.cancel())
        self.waiters.tell("now")
        self.failureResultOf(second, CancelledError)

    def test_who_waits_again_at_the_news_waits_for_the_next(self) -> None:
        """Waiting anew from within is no endless circle."""
        again: list[Deferred[str]] = []
        self.waiters.wait().addCallback(lambda _: again.append(self.waiters.wait()))
        self.waiters.tell("now")
        self.assertNoResult(again[0])
