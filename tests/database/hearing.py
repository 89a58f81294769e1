"""The table of runners, as results hears of them, on any database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, update

from cronq.database.ledger import record_reports
from cronq.database.losses import lose_runs
from cronq.database.orders import order_drain, order_kill
from cronq.database.runners import (
    KEPT,
    forget_runners,
    look_for_losses,
    mark_silent,
    record_heartbeats,
)
from cronq.database.tables import orders, runners, runs
from cronq.domain.heartbeats import RunnerHeartbeat, RunnerStatus
from cronq.domain.messages import Report
from cronq.domain.reports import Loss
from cronq.domain.rules import OnLost, Rules
from tests.database.store import StoreCase, at, job, report

SECOND = timedelta(seconds=1)
LOST_AFTER = 60.0


class RunnersCase(StoreCase):
    """Runners that say something."""

    def heartbeat(self, runner: str = "runner-1", **rest: Any) -> RunnerHeartbeat:
        usual: dict[str, Any] = {
            "host": "host-1",
            "home": "a" * 32,
            "version": "1.0.0",
            "queue": "cronq_jobs",
            "routing_keys": ("default", "slow"),
            "concurrency": 4,
            "sent_at": self.now,
            "status": RunnerStatus.UP,
            "holds": frozenset(),
            "address": f"cronq_runner.{runner}.1",
        }
        return RunnerHeartbeat(runner, **usual | rest)

    def hear(self, *said: RunnerHeartbeat, age: float = 0.0) -> list[str]:
        """Record heartbeats that were heard so many seconds ago; gives who had been silent."""
        return self.do(record_heartbeats, [(each, age) for each in said])

    def fall_silent(self, runner: str = "runner-1") -> None:
        """A minute passes, in which nothing is heard of it."""
        self.now += (LOST_AFTER + 1) * SECOND
        self.assertIn(runner, self.do(mark_silent, LOST_AFTER))

    def statuses(self) -> dict[str, str]:
        return {row["id"]: row["status"] for row in self.rows(runners)}

    def start_run(self, runner: str = "runner-1", on_lost: OnLost = OnLost.FAIL) -> Any:
        """A run that this runner was granted; gives it as it was published."""
        self.now = at(0)
        self.put(job(schedule="R1/2026-01-01T00:01:00Z/P1D", rules=Rules(on_lost)))
        self.now = at(0, 1)
        run = self.claim_run()
        self.grant(run.run_id, run.job_id, runner)
        return run

    def grant(self, run_id: str, job_id: int, runner: str) -> bool:
        """Whether this runner may start the run now."""
        asked = report(
            Report.STARTING, run_id, job_id, self.now, start_time=self.now, token="1" * 32, runner=runner
        )
        (answer,) = self.do(record_reports, [asked])
        assert answer is not None
        return answer.granted

    def lose(self, run: Any, runner: str = "runner-1", *, abandoned: bool = True) -> list[Loss]:
        return self.do(lose_runs, [Loss(run.run_id, runner, "its runner is gone", abandoned=abandoned)])

    def run_row(self, run: Any) -> Any:
        return self.row(runs, run_id=run.run_id)


class HeartbeatTests(RunnersCase):
    """Who has been heard."""

    def test_first(self) -> None:
        """Whoever is heard for the first time gets a row with all it said."""
        self.now = at(1)
        self.assertEqual(self.hear(self.heartbeat(holds=frozenset({"1" * 32})), age=2.0), [])
        self.assertEqual(
            dict(self.row(runners)),
            {
                "id": "runner-1",
                "host": "host-1",
                "home": "a" * 32,
                "version": "1.0.0",
                "queue": "cronq_jobs",
                "routing_keys": '["default", "slow"]',
                "concurrency": 4,
                "busy": 1,
                "status": "up",
                "address": "cronq_runner.runner-1.1",
                "clock_ahead": 2.0,
                "first_heard": at(1),
                "last_heard": at(0, 59, 58),
            },
        )

    def test_again(self) -> None:
        """Each heartbeat replaces what was known, but for when it was heard first."""
        self.now = at(1)
        self.hear(self.heartbeat())
        self.now = at(2)
        changed = self.heartbeat(
            status=RunnerStatus.DRAINING, address=None, sent_at=at(1, 59), routing_keys=()
        )
        self.hear(changed, self.heartbeat("runner-2"))
        row = self.row(runners, id="runner-1")
        self.assertEqual((row["status"], row["address"], row["routing_keys"]), ("draining", None, "[]"))
        self.assertEqual((row["first_heard"], row["last_heard"]), (at(1), at(2)))
        self.assertEqual(row["clock_ahead"], -60.0)
        self.assertEqual(self.statuses(), {"runner-1": "draining", "runner-2": "up"})

    def test_silent_and_back(self) -> None:
        """Only who is there can fall silent, and who is heard again is told of."""
        self.hear(self.heartbeat(), self.heartbeat("runner-2", status=RunnerStatus.STOPPED))
        self.now += 60 * SECOND
        self.hear(self.heartbeat("runner-3"))
        self.assertEqual(self.do(look_for_losses, LOST_AFTER), ([], False))
        self.assertEqual(self.do(mark_silent, LOST_AFTER), [])
        self.now += SECOND
        self.assertEqual(self.do(look_for_losses, LOST_AFTER), ([], True))
        self.assertEqual(self.do(mark_silent, LOST_AFTER), ["runner-1"])
        self.assertEqual(self.do(mark_silent, LOST_AFTER), [])
        self.assertEqual(self.statuses(), {"runner-1": "silent", "runner-2": "stopped", "runner-3": "up"})
        self.assertEqual(self.hear(self.heartbeat(), self.heartbeat("runner-3")), ["runner-1"])
        self.assertEqual(self.statuses()["runner-1"], "up")

    def test_hostile(self) -> None:
        """Whatever a runner says of itself is stored as far as it fits."""
        for number, text in enumerate(("\U0001f600" * 300, "'; DROP TABLE runners; -- %s :x \\", "")):
            name = f"{number}{text}"
            said = self.heartbeat(
                name, host=text, version=text, queue=text, routing_keys=(text, text), address=text
            )
            self.hear(said)
            self.hear(said)
            row = self.row(runners, id=name[:64])
            self.assertEqual((row["host"], row["version"], row["queue"]), (text[:255], text[:32], text[:255]))

    def test_many(self) -> None:
        """A thousand runners at once."""
        said = [self.heartbeat(f"runner-{number:04}") for number in range(1000)]
        self.hear(*said)
        self.fall_silent("runner-0999")
        self.assertEqual(len(self.hear(*said)), 1000)


class ReturnTests(RunnersCase):
    """A runner that was given up, and is heard again."""

    def test_won_back(self) -> None:
        """What it holds still is running again."""
        self.hear(self.heartbeat())
        run = self.start_run()
        self.fall_silent()
        self.lose(run)
        self.hear(self.heartbeat(holds=frozenset({run.run_id})))
        row = self.run_row(run)
        self.assertEqual((row["status"], row["reason"], row["abandoned"]), ("running", None, False))
        self.assertEqual(self.rows(orders), [])

    def test_forgotten_meanwhile(self) -> None:
        """So it is after a week, when the runner itself had been forgotten."""
        self.hear(self.heartbeat())
        run = self.start_run()
        self.fall_silent()
        self.lose(run)
        self.now += KEPT + SECOND
        self.assertEqual(self.do(forget_runners), ["runner-1"])
        self.hear(self.heartbeat(holds=frozenset({run.run_id})))
        self.assertEqual(self.run_row(run)["status"], "running")

    def test_end_of_an_unknown_runner(self) -> None:
        """What the next one at its place reports lost stays so, while that report is on its way, too."""
        run = self.start_run()
        self.lose(run)
        ended = self.heartbeat(status=RunnerStatus.STOPPED, holds=frozenset({run.run_id}))
        self.hear(ended)
        self.assertEqual(self.run_row(run)["status"], "lost")

    def test_too_late(self) -> None:
        """It is told to end what another attempt has replaced."""
        self.hear(self.heartbeat())
        run = self.start_run(on_lost=OnLost.RERUN)
        self.fall_silent()
        self.lose(run)
        self.hear(self.heartbeat(holds=frozenset({run.run_id, "e" * 32})))
        self.assertEqual(self.run_row(run)["status"], "lost")
        order = self.row(orders)
        self.assertEqual((order["kind"], order["runner"], order["run_id"]), ("kill", "runner-1", run.run_id))

    def test_of_somebody_else(self) -> None:
        """Who says that it holds the run of another wins nothing."""
        self.hear(self.heartbeat(), self.heartbeat("runner-2"))
        run = self.start_run()
        self.fall_silent()
        self.lose(run)
        self.hear(self.heartbeat("runner-2", holds=frozenset({run.run_id})))
        self.hear(self.heartbeat("runner-3", holds=frozenset({run.run_id})))
        self.assertEqual(self.run_row(run)["status"], "lost")


class ForgettingTests(RunnersCase):
    """Rows of runners that are gone."""

    def test_long_gone(self) -> None:
        """A week after its last sign a runner is forgotten, and not before."""
        self.hear(
            self.heartbeat("stopped", status=RunnerStatus.STOPPED), self.heartbeat("silent"),
            self.heartbeat("up"), self.heartbeat("draining", status=RunnerStatus.DRAINING),
        )  # fmt: skip
        self.execute(update(runners).where(runners.c.id == "silent").values(status="silent"))
        self.now += KEPT
        self.assertEqual(self.do(forget_runners), [])
        self.now += SECOND
        self.assertEqual(self.do(forget_runners), ["silent", "stopped"])
        self.assertEqual(self.do(forget_runners), [])
        self.assertEqual(set(self.statuses()), {"up", "draining"})

    def test_with_a_run(self) -> None:
        """As long as a run of it is open, it is kept."""
        self.hear(self.heartbeat())
        run = self.start_run()
        self.fall_silent()
        self.now += 2 * KEPT
        self.assertEqual(self.do(forget_runners), [])
        self.lose(run)
        self.assertEqual(self.do(forget_runners), ["runner-1"])

    def test_blocks_the_next_attempt(self) -> None:
        """So it is while another attempt waits, which may not begin where the lost one may be running."""
        self.hear(self.heartbeat())
        run = self.start_run(on_lost=OnLost.RERUN)
        self.fall_silent()
        self.lose(run)
        self.now += 2 * KEPT
        self.assertEqual(self.do(forget_runners), [])
        self.hear(self.heartbeat("runner-2"))  # of the same home
        again = self.row(runs, attempt=2)
        self.assertFalse(self.grant(again["run_id"], again["job_id"], "runner-2"))
        self.execute(update(runners).where(runners.c.id == "runner-2").values(home="b" * 32))
        self.assertTrue(self.grant(again["run_id"], again["job_id"], "runner-2"))
        self.assertEqual(self.do(forget_runners), ["runner-1"])

    def test_back_in_time(self) -> None:
        """Who is back just before is kept."""
        self.hear(self.heartbeat())
        self.fall_silent()
        self.now += 2 * KEPT
        self.hear(self.heartbeat())
        self.assertEqual(self.do(forget_runners), [])

    def test_orders(self) -> None:
        """Orders that are done are forgotten as well, and those that are not are kept."""
        self.hear(self.heartbeat())
        self.do(order_drain, "runner-1", "a person wants it")
        self.do(order_kill, "runner-1", "e" * 32, "a person wants it")
        self.execute(update(orders).where(orders.c.kind == "kill").values(publish_after=None))
        self.now += KEPT + SECOND
        self.do(forget_runners)
        self.assertEqual([row["kind"] for row in self.rows(orders)], ["drain"])

    def test_many(self) -> None:
        """However many there are, they go a few hundred at a time."""
        rows = [replace(self.heartbeat(f"{n:04}"), status=RunnerStatus.STOPPED) for n in range(1200)]
        self.hear(*rows)
        self.now += KEPT + SECOND
        self.assertEqual([len(self.do(forget_runners)) for _ in range(4)], [500, 500, 200, 0])

    def test_runs_without_a_runner(self) -> None:
        """Runs of 0.27, of which no runner is known, keep nobody."""
        self.hear(self.heartbeat(status=RunnerStatus.STOPPED))
        self.execute(insert(runs).values(run_id="e" * 32, job_id=1, status="running"))
        self.now += KEPT + SECOND
        self.assertEqual(self.do(forget_runners), ["runner-1"])
