"""The output of runs: kept as it is in the log file, told line by line and harmlessly in the daemon's log."""

from hypothesis import given
from hypothesis import strategies as st

from cronq.domain.messages import JobMessage
from cronq.domain.outputs import Stream
from cronq.execution.logs import JobLog
from cronq.services.output import LONGEST_LINE, FileOutput, ToldOutput
from tests.services.cases import LoggedTestCase

JOB = JobMessage("0" * 32, 7, "job", "command")
PREFIX = f"job 7 run {'0' * 32}: "


class OutputTestCase(LoggedTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.new_folder()
        self.output = self.new_output()

    def new_output(self) -> ToldOutput:
        return ToldOutput(JobLog(self.folder, "job", lambda: 0.0), JOB)

    def write(self, *pieces: bytes, stream: Stream = Stream.OUT) -> None:
        for piece in pieces:
            self.output.write(stream, piece)

    def told(self) -> list[str]:
        """What came after the names of job and run in each line."""
        lines = self.said(f"^{PREFIX}")
        self.assertEqual(len(lines), len(self._said))
        return [line.removeprefix(PREFIX) for line in lines]

    def kept(self) -> bytes:
        return (self.folder / "job.log").read_bytes()


class ToldOutputTests(OutputTestCase):
    def test_lines(self) -> None:
        """A line is told when it is complete, however it was written, and the last one at the end."""
        self.write(b"on", b"e\ntw", b"o\n\nthr", b"ee\r\n", b"four")
        self.assertEqual(self.told(), ["one", "two", "", "three"])
        self.output.close()
        self.assertEqual(self.told()[4:], ["four"])
        self.assertEqual(self.kept(), b"one\ntwo\n\nthree\r\nfour")

    def test_streams_are_apart(self) -> None:
        """Lines of standard output and of standard error are not mixed up within a line."""
        self.write(b"a")
        self.write(b"b", stream=Stream.ERR)
        self.write(b"1\n")
        self.write(b"2\n", stream=Stream.ERR)
        self.assertEqual(self.told(), ["a1", "b2"])

    def test_nothing(self) -> None:
        """A silent command is told nothing of."""
        self.output.close()
        self.assertEqual(self.told(), [])

    def test_after_the_end(self) -> None:
        """What a leftover of the run still writes is kept and told, too."""
        self.output.close()
        self.write(b"late\n")
        self.assertEqual((self.told(), self.kept()), (["late"], b"late\n"))

    def test_endless_line(self) -> None:
        """A line that never ends is told in pieces, and costs no memory."""
        for _ in range(200):
            self.write(b"x" * 777)
            self.assertLessEqual(sum(map(len, self.output._begun.values())), LONGEST_LINE)
        self.output.close()
        told = self.told()
        self.assertEqual(len("".join(told)), 200 * 777)
        self.assertEqual({len(piece) for piece in told[:-1]}, {LONGEST_LINE})

    def test_long_line_at_once(self) -> None:
        """So is one that comes at once with its end."""
        self.write(b"x" * (3 * LONGEST_LINE + 1) + b"\nshort\n")
        self.assertEqual([len(piece) for piece in self.told()], [LONGEST_LINE] * 3 + [1, 5])

    def test_hundred_megabytes(self) -> None:
        """A hundred megabytes without an end of line, in small pieces, are told as they come."""
        told = 0

        class Quiet(ToldOutput):
            def _tell(self, line: bytes | bytearray) -> None:
                nonlocal told
                told += len(line)

        output = Quiet(JobLog(self.folder / "missing", "job", lambda: 0.0), JOB)
        piece = b"x" * 100
        for _ in range(1024 * 1024):
            output.write(Stream.OUT, piece)
        output.close()
        self.assertEqual(told, 100 * 1024 * 1024)

    def test_binary(self) -> None:
        """Bytes that are no text are told so that they can be read, and kept as they are."""
        self.write(b"\xff\x00\x01\xfe\n")
        self.assertEqual(self.told(), [r"\xff\x00\x01\xfe"])
        self.assertEqual(self.kept(), b"\xff\x00\x01\xfe\n")

    def test_text(self) -> None:
        """Text in any language is told as it is, and so are tabs."""
        self.write("naïve\t日本語 \U0001f4a9 a\u00a0b\n".encode())
        self.assertEqual(self.told(), ["naïve\t日本語 \U0001f4a9 a\u00a0b"])

    def test_no_line_can_be_forged(self) -> None:
        """No output can pass for another line of the log, or change the terminal that shows it."""
        self.write("a\rb\x0bc\x0cd\x85e\u2028f\u2029g\n".encode())
        self.write(b"\x1b[2J\x1b]0;title\x07\x08\x7f\n", "\u202eesrever\u2066\n".encode())
        self.assertEqual(
            self.told(),
            [
                r"a\rb\x0bc\x0cd\x85e\u2028f\u2029g",
                r"\x1b[2J\x1b]0;title\x07\x08\x7f",
                r"\u202eesrever\u2066",
            ],
        )

    @given(st.lists(st.binary(max_size=60)))
    def test_any_output(self, pieces: list[bytes]) -> None:
        """Whatever is written, each line of it is one line of the log, and the file has it all."""
        self._said.clear()
        (self.folder / "job.log").unlink(missing_ok=True)
        self.output = self.new_output()
        self.write(*pieces)
        self.output.close()
        whole = b"".join(pieces)
        lines = whole.split(b"\n")
        self.assertEqual(len(self.told()), len(lines) - (not lines[-1]))
        for line in self.told():
            self.assertEqual(len(line.splitlines()), len(line) > 0)
        if whole:
            self.assertEqual(self.kept(), whole)


class FileOutputTests(OutputTestCase):
    def test_nothing_is_told(self) -> None:
        """Output that goes to the file only is not in the daemon's log."""
        output = FileOutput(JobLog(self.folder, "job", lambda: 0.0))
        output.write(Stream.OUT, b"one\n")
        output.write(Stream.ERR, b"two\n")
        output.close()
        self.assertEqual((self.told(), self.kept()), ([], b"one\ntwo\n"))
