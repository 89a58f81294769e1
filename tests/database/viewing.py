"""Who looks at the output of which run, and what is seen, on any database."""

from datetime import timedelta

from cronq.database.live_output import (
    LINGER,
    MOST_VIEWINGS,
    REMIND,
    Look,
    SentViewing,
    claim_viewings,
    forget_viewings,
    look,
    record_excerpts,
    view_run,
)
from cronq.database.output_tables import excerpts, viewings
from cronq.domain.heartbeats import RunnerStatus
from cronq.domain.live_output import LEASE, Excerpt, decode_pieces
from cronq.domain.outputs import Stream
from tests.database.hearing import RunnersCase

SECOND = timedelta(seconds=1)
ADDRESS = "cronq_runner.runner-1.1"


class ViewingTests(RunnersCase):
    """A run on a runner that is up."""

    def setUp(self) -> None:
        super().setUp()
        self.run_id = self.start_run().run_id
        self.hear(self.heartbeat())

    def write(self, start: int, data: bytes, run_id: str | None = None) -> None:
        pieces = ((Stream.OUT, data),) if data else ()
        self.do(record_excerpts, [Excerpt(run_id or self.run_id, start, start + len(data), pieces)])

    def view(self) -> bool:
        return self.do(view_run, self.run_id)

    def seen(self) -> bytes:
        rows = self.rows(excerpts)
        return b"".join(data for row in rows for _, data in decode_pieces(row["pieces"]))

    def test_nobody(self) -> None:
        """As long as nobody looks there is nothing to do, and nothing is kept."""
        self.write(0, b"x")
        self.assertEqual(self.read(look), Look(due=False, stale=False))
        self.assertEqual((self.do(claim_viewings), self.rows(excerpts)), ([], []))

    def test_told(self) -> None:
        """Its runner is told at once by one results daemon, and again now and then while somebody looks."""
        self.assertTrue(self.view())
        self.assertEqual(self.read(look), Look(due=True, stale=False))
        self.assertEqual(self.do(claim_viewings), [SentViewing(self.run_id, ADDRESS, LEASE)])
        self.assertEqual(self.do(claim_viewings), [])
        self.now += REMIND
        self.assertEqual([each.seconds for each in self.do(claim_viewings)], [LEASE - 10])
        self.now += LEASE * SECOND
        self.assertEqual(self.do(claim_viewings), [])

    def test_still_looks(self) -> None:
        """Whoever looks on makes it last; who comes back after a while is told of at once."""
        self.view()
        self.do(claim_viewings)
        self.now += 5 * SECOND
        self.view()
        self.assertEqual(self.do(claim_viewings), [])
        self.now += 5 * SECOND
        self.assertEqual([each.seconds for each in self.do(claim_viewings)], [LEASE - 5])
        self.now += LEASE * SECOND
        self.view()
        self.assertEqual([each.seconds for each in self.do(claim_viewings)], [LEASE])

    def test_no_runner(self) -> None:
        """A runner that is gone, or has said no address, is not told; a run that is over needs nothing."""
        for address, status in ((None, RunnerStatus.UP), (ADDRESS, RunnerStatus.STOPPED)):
            self.hear(self.heartbeat(address=address, status=status))
            self.view()
            self.assertEqual([each.runner_address for each in self.do(claim_viewings)], [None])
            self.now += LEASE * SECOND + SECOND
        self.lose(self.row_of_run(), abandoned=False)
        self.view()
        self.assertEqual(self.do(claim_viewings), [])

    def row_of_run(self) -> Excerpt:
        """What `lose` asks of a run: its id."""
        return Excerpt(self.run_id, 0, 0)

    def test_seen(self) -> None:
        """What was sent is kept in order, with when it came and how much there was."""
        self.view()
        self.now += SECOND
        self.write(0, b"")
        row = self.row(viewings)
        self.assertEqual((row["heard_at"], row["size"], self.rows(excerpts)), (self.now, 0, []))
        self.now += SECOND
        self.write(0, b"abc")
        self.write(3, bytes(range(256)))
        row = self.row(viewings)
        self.assertEqual((row["heard_at"], row["size"]), (self.now, 259))
        self.assertEqual(self.seen(), b"abc" + bytes(range(256)))

    def test_of_another(self) -> None:
        """What nobody has asked for is not kept."""
        self.view()
        self.write(0, b"x", "e" * 32)
        self.assertEqual(self.rows(excerpts), [])

    def test_bounded(self) -> None:
        """Only the latest is kept; many short pieces have no more room than long ones."""
        self.view()
        for number in range(80):
            self.write(number * 16_384, bytes([number]) * 16_384)
        held = self.seen()
        self.assertLess(len(held), 600_000)
        self.assertEqual(held[-1], 79)
        for number in range(60):
            start = 80 * 16_384 + 50 * number
            self.do(
                record_excerpts,
                [Excerpt(self.run_id, start + n, 0, ((Stream.OUT, b"x"),)) for n in range(50)],
            )
        self.assertLess(len(self.rows(excerpts)), 2100)

    def test_forgotten(self) -> None:
        """Some time after the last look nothing of it is left."""
        self.view()
        self.write(0, b"x")
        self.now += LEASE * SECOND + LINGER
        self.assertEqual(self.read(look), Look(due=False, stale=False))
        self.now += SECOND
        self.assertEqual(self.read(look), Look(due=False, stale=True))
        self.do(forget_viewings)
        self.assertEqual((self.rows(viewings), self.rows(excerpts)), ([], []))
        self.assertEqual(self.read(look), Look(due=False, stale=False))

    def test_too_many(self) -> None:
        """Only so many runs can be looked at at once; whoever looks at one of them already may go on."""
        for number in range(MOST_VIEWINGS):
            self.assertTrue(self.do(view_run, f"{number:032x}"))
        self.assertFalse(self.view())
        self.assertTrue(self.do(view_run, f"{0:032x}"))
        self.assertEqual(len(self.rows(viewings)), MOST_VIEWINGS)
