"""Orders to runners, on any database."""

from datetime import timedelta

from sqlalchemy import update

from cronq.database.orders import (
    PATIENCE,
    SentOrder,
    claim_orders,
    find_drain_orders,
    order_drain,
    order_kill,
)
from cronq.database.tables import orders, runners
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.orders import Order, OrderKind
from cronq.domain.rules import OnLost
from tests.database.hearing import RunnersCase

SECOND = timedelta(seconds=1)
WHY = "a person wants it"


class OrderCase(RunnersCase):
    """A runner that is up."""

    def setUp(self) -> None:
        super().setUp()
        self.hear(self.heartbeat())

    def sent(self, limit: int = 10) -> list[SentOrder]:
        """What an injector would publish now."""
        return self.do(claim_orders, limit)

    def set_status(self, status: RunnerStatus) -> None:
        self.execute(update(runners).values(status=status.value))


class DrainTests(OrderCase):
    """The order to drain."""

    def test_published_until_it_drains(self) -> None:
        """It goes to the runner's address at once, again after a while, and no more when it is obeyed."""
        self.assertIs(self.do(order_drain, "runner-1", WHY), RunnerStatus.UP)
        expected = SentOrder(Order(OrderKind.DRAIN, WHY), "runner-1", "cronq_runner.runner-1.1")
        self.assertEqual(self.sent(), [expected])
        self.assertEqual(self.sent(), [], "only one injector publishes it")
        self.now += PATIENCE
        self.assertEqual(self.sent(), [expected])
        self.hear(self.heartbeat(status=RunnerStatus.DRAINING))
        self.now += PATIENCE
        self.assertEqual(self.sent(), [])
        self.assertIsNone(self.row(orders)["publish_after"])

    def test_ordered_twice(self) -> None:
        """Two orders before it drains are one."""
        self.do(order_drain, "runner-1", WHY)
        self.now += SECOND
        self.assertIs(self.do(order_drain, "runner-1", "another reason"), RunnerStatus.UP)
        self.assertEqual(len(self.rows(orders)), 1)
        self.sent()
        self.do(order_drain, "runner-1", WHY)
        self.assertEqual(len(self.rows(orders)), 1)

    def test_not_up(self) -> None:
        """Whoever drains already, is silent or has stopped is given no order, and how it is is said."""
        for status in (RunnerStatus.DRAINING, RunnerStatus.SILENT, RunnerStatus.STOPPED):
            self.set_status(status)
            self.assertIs(self.do(order_drain, "runner-1", WHY), status)
        self.assertEqual(self.rows(orders), [])

    def test_unknown(self) -> None:
        """There is no such runner, however much alike the names are."""
        for name in ("runner-2", "RUNNER-1", "runner-1 ", "", "'; --", "\U0001f98a" * 100):
            self.assertIsNone(self.do(order_drain, name, WHY), name)
        self.assertEqual(self.rows(orders), [])

    def test_silent_meanwhile(self) -> None:
        """One that falls silent before it has obeyed is told again and again; who has ended is not."""
        self.do(order_drain, "runner-1", WHY)
        self.set_status(RunnerStatus.SILENT)
        for _ in range(3):
            self.assertEqual(len(self.sent()), 1)
            self.now += PATIENCE
        self.set_status(RunnerStatus.STOPPED)
        self.assertEqual(self.sent(), [])
        self.assertIsNone(self.row(orders)["publish_after"])

    def test_new_address(self) -> None:
        """After a new connection the order goes to where the runner is reached now."""
        self.do(order_drain, "runner-1", WHY)
        self.hear(self.heartbeat(address=None))
        self.assertEqual([order.address for order in self.sent()], [None])
        self.hear(self.heartbeat(address="elsewhere"))
        self.now += PATIENCE
        self.assertEqual([order.address for order in self.sent()], ["elsewhere"])

    def test_forgotten_runner(self) -> None:
        """An order to one that is not there any more is put away."""
        self.do(order_drain, "runner-1", WHY)
        self.sql("DELETE FROM runners")
        self.assertEqual(self.sent(), [])
        self.now += PATIENCE
        self.assertEqual(self.sent(), [])
        self.assertIsNone(self.row(orders)["publish_after"])

    def test_pending(self) -> None:
        """Who is ordered to drain, and since when, is known until the runner has been seen to do it."""
        self.hear(self.heartbeat("runner-2"))
        ordered_at = self.now
        self.do(order_drain, "runner-1", WHY)
        self.now += SECOND
        self.do(order_kill, "runner-2", "e" * 32, WHY)
        names = ["runner-1", "runner-2", "nobody"]
        self.assertEqual(self.read(find_drain_orders, names), {"runner-1": ordered_at})
        self.assertEqual(self.read(find_drain_orders, ["runner-2"]), {})
        self.assertEqual(self.read(find_drain_orders, []), {})
        self.hear(self.heartbeat(status=RunnerStatus.DRAINING))
        self.sent()
        self.assertEqual(self.read(find_drain_orders, names), {})

    def test_limit(self) -> None:
        """No more are taken than is asked for, the oldest first; the others stay for the next."""
        names = [f"runner-{number}" for number in range(5)]
        self.hear(*map(self.heartbeat, names))
        for name in names:
            self.now += SECOND
            self.do(order_drain, name, WHY)
        batches = [[order.runner for order in self.sent(2)] for _ in range(4)]
        self.assertEqual(batches, [names[:2], names[2:4], names[4:], []])


class KillTests(OrderCase):
    """The order to end the command of a run."""

    def test_until_it_has_ended(self) -> None:
        """It is published as long as the run is running."""
        run = self.start_run()
        self.do(order_kill, "runner-1", run.run_id, WHY)
        expected = Order(OrderKind.KILL, WHY, run.run_id)
        self.assertEqual([each.order for each in self.sent()], [expected])
        self.lose(run, abandoned=False)
        self.now += PATIENCE
        self.assertEqual(self.sent(), [])

    def test_of_an_abandoned_run(self) -> None:
        """It is also published for a run that was given up and may be running all the same."""
        run = self.start_run(on_lost=OnLost.RERUN)
        self.fall_silent()
        self.lose(run)
        self.do(order_kill, "runner-1", run.run_id, WHY)
        self.assertEqual(len(self.sent()), 1)

    def test_of_no_run(self) -> None:
        """A run that is not there needs no end."""
        self.do(order_kill, "runner-1", "e" * 32, WHY)
        self.assertEqual(self.sent(), [])

    def test_long_reason(self) -> None:
        """A reason is kept as far as it fits."""
        run = self.start_run()
        self.do(order_kill, "runner-1", run.run_id, "\U0001f600" * 2000)
        self.assertEqual(self.sent()[0].order.reason, "\U0001f600" * 1000)
