"""What is kept of output for the pages: its beginning and its end, whatever comes and however."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.outputs import Output, Piece, Stream, decode_output
from cronq.services.keeping import Keeper

OUT, ERR = Stream
CHUNKS = st.lists(st.tuples(st.sampled_from(Stream), st.text("ab\n", max_size=30)), max_size=20)


def kept(limit: int, *pieces: bytes, stream: Stream = OUT) -> Output | None:
    keeper = Keeper(limit)
    for piece in pieces:
        keeper.take(stream, piece)
    return keeper.kept()


def written(pieces: tuple[Piece, ...]) -> list[tuple[Stream, str]]:
    """Character by character."""
    return [(piece.stream, each) for piece in pieces for each in piece.text]


class KeeperTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """A silent command has no output, and neither has one of which nothing is to be kept."""
        self.assertIsNone(kept(100))
        self.assertIsNone(kept(100, b""))

    def test_all(self) -> None:
        """What is no longer than the limit is kept whole."""
        self.assertEqual(kept(10, b"01234", b"", b"56789"), Output(10, (Piece(OUT, "0123456789"),)))

    def test_head_and_tail(self) -> None:
        """Of more, half is kept from the beginning and half from the end."""
        expected = Output(26, (Piece(OUT, "abcde"),), (Piece(OUT, "vwxyz"),), (5, 21))
        self.assertEqual(kept(10, b"abcdefghijklmnopqrstuvwxyz"), expected)
        self.assertEqual(kept(10, *(bytes([each]) for each in b"abcdefghijklmnopqrstuvwxyz")), expected)

    def test_smallest(self) -> None:
        """The end counts more than the beginning."""
        self.assertEqual(kept(1, b"abc"), Output(3, (), (Piece(OUT, "c"),), (0, 2)))

    def test_streams(self) -> None:
        """Each piece says which stream it came by, in the order in which they came."""
        keeper = Keeper(10)
        for stream, data in ((OUT, b"a"), (OUT, b"b"), (ERR, b"c"), (OUT, b"d")):
            keeper.take(stream, data)
        self.assertEqual(keeper.kept(), Output(4, (Piece(OUT, "ab"), Piece(ERR, "c"), Piece(OUT, "d"))))

    def test_text(self) -> None:
        """Characters that come in two pieces are whole; those that are cut are left out."""
        self.assertEqual(kept(100, b"\xc3", b"\xa9"), Output(2, (Piece(OUT, "\u00e9"),)))
        cut = Output(20, (Piece(OUT, "\u00e9\u00e9"),), (Piece(OUT, "\u00e9\u00e9"),), (4, 16))
        self.assertEqual(kept(10, "\u00e9".encode() * 10), cut)

    def test_binary(self) -> None:
        """Bytes that are no text can be read all the same."""
        self.assertEqual(kept(100, b"\xff\x00\xfe"), Output(3, (Piece(OUT, "\\xff\0\\xfe"),)))

    def test_gigabytes(self) -> None:
        """However much there is, it holds no more than it keeps."""
        keeper, data = Keeper(8192), bytes(65536)
        for _ in range(1000):
            keeper.take(OUT, data)
            held = sum(len(piece) for _, piece in (*keeper._head, *keeper._tail.pieces))
            self.assertLessEqual(held, 8192)
        found = keeper.kept()
        self.assertEqual(found and found.size, 65536000)

    @given(CHUNKS, st.integers(1, 100))
    def test_any(self, chunks: list[tuple[Stream, str]], limit: int) -> None:
        """What is kept is the beginning and the end, and can be stored and read."""
        keeper = Keeper(limit)
        for stream, text in chunks:
            keeper.take(stream, text.encode())
        whole = [(stream, each) for stream, text in chunks for each in text]
        found = keeper.kept()
        if found is None:
            self.assertEqual(whole, [])
            return
        head, tail = written(found.head), written(found.tail)
        self.assertEqual((found.size, len(head) + len(tail)), (len(whole), min(limit, len(whole))))
        self.assertEqual(whole[: len(head)], head)
        self.assertEqual(whole[len(whole) - len(tail) :], tail)
        self.assertEqual(found.bytes_left_out, len(whole) - len(head) - len(tail))
        self.assertEqual(decode_output(found.size, found.encode()), found)
