"""How often a broker is tried, and how much is said about it."""

from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from cronq.broker.addresses import Address
from cronq.broker.amqp.attempts import Attempts
from cronq.domain.errors import BrokerUnavailable

HERE = Address("here")
THERE = Address("there")


def refused(address: Address, why: str = "connection refused") -> BrokerUnavailable:
    return BrokerUnavailable(f"{address}: {why}")


class AttemptsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()

    def pauses(self, attempts: Attempts, times: int) -> list[float]:
        return [attempts.failed(HERE, refused(HERE)) for _ in range(times)]

    def test_pauses_grow_from_a_blink_to_ten_seconds(self) -> None:
        """The first retry comes at once, and a long outage is not made worse."""
        pauses = self.pauses(Attempts(self.clock, 1, lambda: 1.0), 12)
        self.assertEqual(pauses[:4], [0.1, 0.2, 0.4, 0.8])
        self.assertEqual(pauses[-1], 10.0)
        self.assertEqual(pauses, sorted(pauses))

    def test_pauses_are_spread(self) -> None:
        """Two clients do not come back at the same moment."""
        self.assertEqual(self.pauses(Attempts(self.clock, 1, lambda: 0.0), 2), [0.05, 0.1])

    def test_each_host_has_its_turn_before_the_pause_grows(self) -> None:
        """With three hosts, three attempts are quick."""
        self.assertEqual(self.pauses(Attempts(self.clock, 3, lambda: 1.0), 4), [0.1, 0.1, 0.1, 0.2])

    def test_a_good_connection_makes_up_for_the_failures_before(self) -> None:
        """After a connection that lasted, the first retry comes at once again."""
        attempts = Attempts(self.clock, 1, lambda: 1.0)
        self.pauses(attempts, 8)
        attempts.connected(HERE)
        self.clock.advance(6)
        self.assertEqual(self.pauses(attempts, 2), [0.1, 0.2])

    def test_a_connection_that_does_not_last_is_a_failure(self) -> None:
        """A broker that lets in and throws out is not tried ten times a second."""
        attempts = Attempts(self.clock, 1, lambda: 1.0)
        for expected in (0.1, 0.2, 0.4, 0.8):
            attempts.connected(HERE)
            self.clock.advance(1)
            self.assertEqual(attempts.failed(HERE, refused(HERE)), expected)

    def test_a_cause_is_said_once(self) -> None:
        """An outage is one line, until its cause changes; other hosts have lines of their own."""
        attempts = Attempts(self.clock, 2)
        with capturedLogs() as said:
            for why in (
                "connection refused",
                "connection refused",
                "it closed the connection",
                "connection refused",
            ):
                attempts.failed(HERE, refused(HERE, why))
                attempts.failed(THERE, refused(THERE))
        self.assertEqual(
            [event["cause"] for event in said],
            [
                "here:5672: connection refused",
                "there:5672: connection refused",
                "here:5672: it closed the connection",
                "here:5672: connection refused",
            ],
        )

    def test_a_long_outage_is_said_again(self) -> None:
        """Every five minutes, so that a log of today tells it."""
        attempts = Attempts(self.clock, 1)
        with capturedLogs() as said:
            for _ in range(20):
                attempts.failed(HERE, refused(HERE))
                self.clock.advance(30)
        self.assertEqual(len(said), 2)

    def test_a_new_outage_is_said_again(self) -> None:
        """The same cause after a connection is news."""
        attempts = Attempts(self.clock, 1)
        with capturedLogs() as said:
            attempts.failed(HERE, refused(HERE))
            attempts.connected(HERE)
            attempts.failed(HERE, refused(HERE))
        self.assertEqual(len(said), 3)
