"""Whether a slot is tried again, when, and in which words."""

from datetime import datetime, timedelta

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.durations import LONGEST_RETRY_DELAY
from cronq.domain.reports import RunState
from cronq.domain.retrying import attempts_allowed, delay_after, no_more, why_again
from cronq.domain.rules import OnLost, Rules
from cronq.domain.runs import Status

MINUTE = timedelta(minutes=1)
FAILED, LOST, TIMED_OUT = Status.FAILED, Status.LOST, Status.TIMED_OUT


class AttemptsTests(SynchronousTestCase):
    """How many attempts there may be."""

    def test_without_rules(self) -> None:
        """Nothing is tried again."""
        for status in Status:
            self.assertEqual(attempts_allowed(Rules(), status), 1)

    def test_retries(self) -> None:
        """What failed, ran too long or was lost is tried again so often, and nothing else is."""
        allowed = {status for status in Status if attempts_allowed(Rules(retries=2), status) == 3}
        self.assertEqual(allowed, {FAILED, LOST, TIMED_OUT})

    def test_lost_stays_lost(self) -> None:
        """Who says that lost runs fail has no second attempt of them, but of others."""
        rules = Rules(on_lost=OnLost.FAIL, retries=2)
        self.assertEqual((attempts_allowed(rules, LOST), attempts_allowed(rules, FAILED)), (1, 3))

    def test_lost_again(self) -> None:
        """Reruns of what was lost need no retries, and many retries are not fewer for it."""
        self.assertEqual(attempts_allowed(Rules(on_lost=OnLost.RERUN), LOST), 5)
        self.assertEqual(attempts_allowed(Rules(on_lost=OnLost.RERUN), FAILED), 1)
        self.assertEqual(attempts_allowed(Rules(on_lost=OnLost.RERUN, retries=9), LOST), 10)


class DelayTests(SynchronousTestCase):
    """How long an attempt waits."""

    def test_steady(self) -> None:
        """Without a backoff every delay is the same."""
        rules = Rules(retries=3, retry_delay=5 * MINUTE)
        self.assertEqual([delay_after(rules, FAILED, n) for n in (1, 2, 3)], [5 * MINUTE] * 3)

    def test_growing(self) -> None:
        """With one, each is so many times the one before, and none is longer than a day."""
        rules = Rules(retries=100, retry_delay=MINUTE, retry_backoff=2)
        self.assertEqual([delay_after(rules, FAILED, n) for n in (1, 2, 3)], [MINUTE, 2 * MINUTE, 4 * MINUTE])
        self.assertEqual(delay_after(rules, FAILED, 11), 1024 * MINUTE)
        self.assertEqual(delay_after(rules, FAILED, 12), LONGEST_RETRY_DELAY)
        self.assertEqual(delay_after(rules, FAILED, 100), LONGEST_RETRY_DELAY)

    def test_longer_than_a_day(self) -> None:
        """No delay is longer than a day, also if the database holds one."""
        centuries = Rules(retries=2, retry_delay=timedelta(days=2_920_000), retry_backoff=10)
        self.assertEqual([delay_after(centuries, FAILED, n) for n in (1, 2)], [LONGEST_RETRY_DELAY] * 2)

    def test_fraction(self) -> None:
        """A backoff need not be whole."""
        rules = Rules(retries=2, retry_delay=MINUTE, retry_backoff=1.5)
        self.assertEqual(delay_after(rules, TIMED_OUT, 2), timedelta(seconds=90))

    def test_rerun_of_lost(self) -> None:
        """The first rerun of what was lost is made at once, the others after pauses up to an hour."""
        rules = Rules(on_lost=OnLost.RERUN, retry_delay=7 * MINUTE)
        delays = [delay_after(rules, LOST, n) for n in range(1, 10)]
        self.assertEqual(delays[:4], [timedelta(0), MINUTE, 2 * MINUTE, 4 * MINUTE])
        self.assertEqual(delays[-2:], [60 * MINUTE] * 2)
        self.assertEqual(delay_after(rules, FAILED, 1), 7 * MINUTE)


class WordsTests(SynchronousTestCase):
    """What a person reads."""

    def run_state(
        self, status: Status, code: int | None = None, reason: str | None = None, attempt: int = 1
    ) -> RunState:
        return RunState("1" * 32, 1, status, reason, return_code=code, attempt=attempt)

    def test_why_again(self) -> None:
        """An attempt says which it is, what it waits for and what became of the one before it."""
        at = datetime(2026, 1, 1, 9, 5)
        self.assertEqual(
            why_again(self.run_state(FAILED, 3), 4, at),
            "attempt 2 of at most 4: it waits until 2026-01-01 09:05:00 UTC, since"
            " attempt 1 failed with exit code 3",
        )
        for run, words in (
            (self.run_state(FAILED), "could not be started"),
            (self.run_state(TIMED_OUT, 143), "ran longer than its timeout"),
            (self.run_state(LOST), "was lost"),
        ):
            self.assertTrue(
                why_again(run, 5, None).endswith(f"it may start at once, since attempt 1 {words}")
            )

    def test_no_more(self) -> None:
        """The last attempt says that it was the last, after what it has to say itself."""
        self.assertEqual(
            no_more(self.run_state(FAILED, 3, attempt=4)), "this was attempt 4, and there is no more"
        )
        self.assertEqual(
            no_more(self.run_state(LOST, reason="gone", attempt=5)),
            "gone; this was attempt 5, and there is no more",
        )
