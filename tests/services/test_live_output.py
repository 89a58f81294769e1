"""Output while it is written: nothing is sent for nobody, and whoever looks on sees all that fits."""

from typing import Any

from sqlalchemy import select

from cronq.broker.interface import Message
from cronq.database.live_output import LINGER, MOST_SEEN, view_run
from cronq.database.output_tables import excerpts, outputs, viewings
from cronq.domain.live_output import (
    INTERVAL,
    LEASE,
    MOST_BYTES,
    Excerpt,
    LeftOut,
    Written,
    decode_pieces,
    read_on,
)
from cronq.domain.outputs import Stream
from cronq.domain.rules import Rules
from tests.services.cases import WorldTestCase
from tests.services.test_command_rules import ruled

OUT, ERR = Stream


class LiveOutputTestCase(WorldTestCase):
    """A run that is running, and somebody who may look on."""

    def setUp(self) -> None:
        super().setUp()
        self.world.look_interval = 1.0
        self.world.start_injector()
        self.results = self.world.start_results()
        self.runner = self.world.start_runner()
        self.published: list[Message] = []

    def start(self, command: str = "600 s", says: str = "", **rules: Any) -> None:
        environment = {"SAYS": says} if says else {}
        self.world.put(ruled(command, environment=environment, **rules))
        self.world.run_for(70)
        self.runner.published = self.published.append

    def write(self, text: str, stream: Stream = OUT) -> None:
        """The command writes."""
        self.starts[0].command.on_output(stream, text.encode())

    def look(self) -> bool:
        return self.world.do(view_run, self.the_run().run_id)

    def seen(self) -> list[Written | LeftOut]:
        """What somebody reads who comes now."""
        run_id = self.the_run().run_id
        found = [
            Excerpt(run_id, row.start, row.stop, decode_pieces(row.pieces))
            for row in self.world.rows(select(excerpts))
        ]
        return list(read_on(0, found, ended=False))

    def text(self) -> str:
        """The same as text, with every gap in brackets."""
        return "".join(
            f"[{part.stop - part.start}]"
            if isinstance(part, LeftOut)
            else "".join(piece.text for piece in part.pieces)
            for part in self.seen()
        )

    def sent(self) -> int:
        """How many excerpts the runner has sent since the last time."""
        count = sum(b'"pieces"' in message.body for message in self.published)
        self.published.clear()
        return count


class LookingOnTests(LiveOutputTestCase):
    def test_nobody_looks(self) -> None:
        """Nothing is sent and nothing is written down as long as nobody looks."""
        self.start()
        for _ in range(100):
            self.write("x" * 1000)
            self.world.run_for(1)
        self.assertEqual((self.sent(), self.world.rows(select(excerpts))), (0, []))

    def test_as_it_comes(self) -> None:
        """What was written before is seen within seconds, and then what is written, as it comes."""
        self.start(says="before\n")
        self.look()
        self.world.run_for(2)
        self.assertEqual(self.text(), "before\n")
        self.write("one\n")
        self.write("two\n", ERR)
        self.world.run_for(1)
        self.write("three\n")
        self.world.run_for(1)
        self.assertEqual(self.text(), "before\none\ntwo\nthree\n")
        streams = [piece.stream for part in self.seen() if isinstance(part, Written) for piece in part.pieces]
        self.assertEqual(streams, [OUT, ERR, OUT])

    def test_nothing_yet(self) -> None:
        """A runner says that there is nothing yet, so that nobody thinks it is deaf."""
        self.start()
        self.look()
        self.world.run_for(2)
        (row,) = self.world.rows(select(viewings))
        self.assertEqual((row.size, self.text()), (0, ""))
        self.assertIsNotNone(row.heard_at)

    def test_in_the_middle(self) -> None:
        """Whoever comes late sees the beginning and the end of what was written, and how much is between."""
        self.start(output_limit=20)
        self.write("abcdefghij" + "." * 100 + "0123456789")
        self.look()
        self.world.run_for(2)
        self.assertEqual(self.text(), "abcdefghij[100]0123456789")
        self.write("more")
        self.world.run_for(1)
        self.assertEqual(self.text(), "abcdefghij[100]0123456789more")

    def test_looks_away(self) -> None:
        """When nobody looks any more, the runner stops sending, and what was seen is deleted."""
        self.start()
        self.look()
        for _ in range(int(LEASE) + 1):
            self.write("x")
            self.world.run_for(1)
        self.sent()
        for _ in range(30):
            self.write("y")
            self.world.run_for(1)
        self.assertEqual(self.sent(), 0)
        self.assertNotEqual(self.text(), "")
        self.world.run_for(LINGER.total_seconds())
        self.assertEqual([self.world.rows(select(each)) for each in (viewings, excerpts)], [[], []])

    def test_looks_again(self) -> None:
        """Whoever looks again sees what was kept meanwhile, and what comes from then on."""
        self.start(output_limit=8)
        self.look()
        self.world.run_for(LEASE + 1)
        self.write("abcdefghijklmnopqrst")
        self.world.run_for(1)
        self.write("u")
        self.look()
        self.world.run_for(2)
        self.assertEqual(self.text(), "abcd[13]rstu")

    def test_goes_on_looking(self) -> None:
        """As long as somebody says again that they look, nothing is missed."""
        self.start()
        for number in range(120):
            if number % 15 == 0:
                self.look()
            self.world.run_for(1)
            self.write(f"{number},")
        self.world.run_for(2)
        self.assertEqual(self.text(), "".join(f"{number}," for number in range(120)))

    def test_end(self) -> None:
        """The last words before the end are seen, and all is kept as ever."""
        self.start("20 s")
        self.look()
        self.world.run_for(2)
        self.write("nearly")
        self.world.run_for(7.99)
        self.assertEqual(self.the_run().status, "running")
        self.write(" done")
        self.world.run_for(1)
        self.assertEqual(self.the_run().status, "succeeded")
        self.assertEqual(self.text(), "nearly done")
        self.assertEqual([row.size for row in self.world.rows(select(outputs))], [11])

    def test_not_kept(self) -> None:
        """Of a job that wants nothing kept of its output, nothing leaves the runner."""
        self.start(says="secret", output_limit=0)
        self.look()
        self.world.run_for(2)
        self.write("secret")
        self.world.run_for(5)
        self.assertEqual((self.sent(), self.text()), (0, ""))


class FloodTests(LiveOutputTestCase):
    """Output without end."""

    def test_bounds(self) -> None:
        """However much is written, little is sent: the newest, twice a second, and all gaps are told."""
        self.start()
        self.look()
        self.world.run_for(2)
        self.sent()
        for _ in range(100):
            for _ in range(10):
                self.write("x" * 65_536)
            self.world.run_for(0.1)
        self.assertLessEqual(self.sent(), 10 / INTERVAL + 2)
        self.world.run_for(2)
        rows = self.world.rows(select(excerpts))
        self.assertLessEqual(max(row.stop - row.start for row in rows), MOST_BYTES)
        gaps = sum(part.stop - part.start for part in self.seen() if isinstance(part, LeftOut))
        text = sum(part.stop - part.start for part in self.seen() if isinstance(part, Written))
        self.assertEqual(gaps + text, 1000 * 65_536)
        self.assertEqual(self.seen()[-1].stop, 1000 * 65_536)

    def test_many_pieces(self) -> None:
        """One who writes to both streams by turns, byte by byte, gets no more room."""
        self.start()
        self.look()
        self.world.run_for(2)
        self.sent()
        for number in range(20_000):
            self.write("x", (OUT, ERR)[number % 2])
        self.world.run_for(1)
        (message,) = self.published
        self.assertLess(len(message.body), MOST_BYTES)
        self.assertEqual(self.text()[:7], "[19488]")

    def test_only_the_latest(self) -> None:
        """Of hours of output, the table holds the latest."""
        self.start()
        self.look()
        self.world.run_for(2)
        for number in range(200):
            if number % 10 == 0:
                self.look()
            self.write(f"{number:16384}")
            self.world.run_for(1)
        self.world.run_for(1)
        rows = self.world.rows(select(excerpts))
        held = sum(row.stop - row.start for row in rows)
        self.assertLessEqual(held, MOST_SEEN)
        self.assertGreater(held, MOST_SEEN - 2 * MOST_BYTES)
        self.assertRegex(self.text(), r"^\[\d+\].* 199$")


class TroubleTests(LiveOutputTestCase):
    """What is lost is a gap, and nothing waits for it."""

    def test_results_restarted(self) -> None:
        """When another results daemon takes over, it goes on within seconds; the run is not disturbed."""
        self.start("600 s exit 3")
        self.look()
        self.world.run_for(2)
        self.write("one")
        self.world.run_for(1)
        self.results.kill()
        self.write("two")
        self.world.run_for(1)
        self.write("three")
        self.world.start_results("results.2")
        self.world.run_for(11)
        self.write("four")
        self.world.run_for(2)
        self.assertEqual(self.text(), "onetwothreefour")
        self.world.run_for(600)
        self.assertEqual((self.the_run().status, self.the_run().return_code), ("failed", 3))

    def test_runner_cut_off(self) -> None:
        """What was written while the runner could not send is seen afterwards as far as it is kept."""
        self.start()
        self.look()
        self.world.run_for(2)
        self.runner.cut()
        self.write("one")
        self.world.run_for(5)
        self.runner.restore()
        self.world.run_for(1)
        self.write("two")
        self.world.run_for(11)
        self.look()
        self.world.run_for(11)
        self.assertIn("two", self.text())

    def test_database_away(self) -> None:
        """Neither the runner nor the broker waits for the database."""
        self.start()
        self.look()
        self.world.run_for(2)
        self.world.database_down()
        for _ in range(60):
            self.write("x")
            self.world.run_for(1)
        self.assertLessEqual(self.sent(), 2 * LEASE)
        self.world.database_up()
        self.world.run_for(20)
        self.look()
        self.world.run_for(2)
        self.write("y")
        self.world.run_for(2)
        self.assertTrue(self.text().endswith("y"))

    def test_nonsense(self) -> None:
        """What is no excerpt is told in one line, and stops nothing."""
        self.start()
        address = self.results.services[-1]._subscription.address
        self.world.publish(Message(address, b"{}", "1", direct=True))
        self.assert_said("an excerpt of output cannot be read")
        self.test_as_it_comes_again()

    def test_as_it_comes_again(self) -> None:
        """It goes on."""
        if not self.starts:
            self.start()
        self.look()
        self.world.run_for(2)
        self.write("one")
        self.world.run_for(1)
        self.assertEqual(self.text(), "one")

    def test_not_running_here(self) -> None:
        """An order for a run that is over, or elsewhere, does nothing."""
        self.start("5 s")
        self.assertEqual(self.the_run().status, "succeeded")
        self.look()
        self.world.run_for(3)
        self.assertEqual(self.sent(), 0)


class AllInOneTests(WorldTestCase):
    """`twistd cronq`."""

    def test_as_it_comes(self) -> None:
        """With the broker in the process it works alike."""
        self.world.look_interval = 1.0
        self.world.start_all_in_one()
        self.world.put(ruled("600 s", environment={"SAYS": "before\n"}, output_limit=Rules().output_limit))
        self.world.run_for(70)
        self.world.do(view_run, self.the_run().run_id)
        self.world.run_for(2)
        self.starts[0].command.on_output(OUT, b"after\n")
        self.world.run_for(1)
        rows = self.world.rows(select(excerpts.c.pieces).order_by(excerpts.c.id))
        self.assertEqual(
            [data for row in rows for _, data in decode_pieces(row.pieces)], [b"before\n", b"after\n"]
        )
