"""What runners and results daemons say of themselves, and what runners are told to do."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import BadMessage
from cronq.domain.heartbeats import ResultsHeartbeat, RunnerHeartbeat, RunnerStatus, decode_heartbeat
from cronq.domain.message_fields import read_fields
from cronq.domain.orders import Order, OrderKind, is_order

RUNNER = RunnerHeartbeat(
    runner="runner-1",
    host="größe",
    home="a" * 32,
    version="1.0.0",
    queue="cronq_jobs",
    routing_keys=("default", "slow"),
    concurrency=4,
    sent_at=datetime(2026, 1, 1, 0, 0, 1, 5),
    status=RunnerStatus.UP,
    holds=frozenset({"1" * 32, "2" * 32}),
    address="cronq_runner.1",
)


class HeartbeatTests(SynchronousTestCase):
    """Heartbeats, written and read again."""

    def test_read_again(self) -> None:
        """What is written is read as it was."""
        for said in (
            RUNNER,
            replace(RUNNER, status=RunnerStatus.STOPPED, address=None, holds=frozenset()),
            ResultsHeartbeat("results-1", 2.5),
            ResultsHeartbeat("results-1", 0.0, stopped=True),
        ):
            self.assertEqual(decode_heartbeat(said.encode()), said)

    def test_more_keys(self) -> None:
        """What a later version says besides is passed over."""
        body = json.dumps(json.loads(RUNNER.encode()) | {"mood": "good"}).encode()
        self.assertEqual(decode_heartbeat(body), RUNNER)

    def test_refused(self) -> None:
        """What cannot be stored, or shown, is refused with the place."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({"type": "web"}, "type: "),
            ({"runner": 5}, "runner: "),
            ({"runner": "\ud800"}, "runner: "),
            ({"home": "../.."}, "home: "),
            ({"concurrency": True}, "concurrency: "),
            ({"concurrency": 2**40}, "concurrency: "),
            ({"sent_at": "yesterday"}, "sent_at: "),
            ({"status": "asleep"}, "status: "),
            ({"holds": None}, "holds: "),
            ({"holds": [None]}, "holds: "),
            ({"routing_keys": "default"}, "routing_keys: "),
            ({"routing_keys": ["a", 7]}, "routing_keys: "),
            ({"routing_keys": ["\ud83d"]}, "routing_keys: "),
        ]
        for change, place in cases:
            body = json.dumps(json.loads(RUNNER.encode()) | change).encode()
            error = self.assertRaises(BadMessage, decode_heartbeat, body)
            self.assertTrue(str(error).startswith(place), (change, str(error)))

    def test_no_heartbeat(self) -> None:
        """Anything else is none."""
        for body in (b"", b"{}", b"[]", b"\xff", b"null", b'{"type": 1}'):
            self.assertRaises(BadMessage, decode_heartbeat, body)


class OrderTests(SynchronousTestCase):
    """Orders, written and read again."""

    def test_read_again(self) -> None:
        """What is written is read as it was, and told apart from an answer."""
        for order in (Order(OrderKind.DRAIN, "why"), Order(OrderKind.KILL, "\U0001f98a", "e" * 32)):
            self.assertEqual(Order.decode(order.encode()), order)
            self.assertTrue(is_order(read_fields(order.encode())))
        self.assertFalse(is_order({"granted": True}))

    def test_refused(self) -> None:
        """What is no order is refused."""
        for body in (
            b"{}",
            b'{"order": "dance", "reason": "x"}',
            b'{"order": "kill", "reason": "x", "run_id": "7"}',
            b'{"order": "drain", "reason": 7}',
        ):
            self.assertRaises(BadMessage, Order.decode, body)
