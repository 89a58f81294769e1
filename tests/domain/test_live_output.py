"""What somebody reads who looks on while a command writes: each byte once, in order, with every gap told."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from cronq.domain.errors import BadMessage
from cronq.domain.live_output import Excerpt, LeftOut, Written, decode_pieces, read_on
from cronq.domain.orders import Order, OrderKind
from cronq.domain.outputs import Piece, Stream

RUN = "a" * 32
OUT, ERR = Stream


def excerpt(start: int, *pieces: bytes, stream: Stream = OUT) -> Excerpt:
    told = tuple((stream, each) for each in pieces)
    return Excerpt(RUN, start, start + sum(map(len, pieces)), told)


def read(position: int, *excerpts: Excerpt, ended: bool = False) -> list[Written | LeftOut]:
    return list(read_on(position, excerpts, ended=ended))


def written(start: int, text: str, stop: int | None = None, stream: Stream = OUT) -> Written:
    return Written(start, start + len(text) if stop is None else stop, (Piece(stream, text),))


class ReadTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """Where there is nothing new, there is nothing to read."""
        self.assertEqual(read(0), [])
        self.assertEqual(read(0, excerpt(0)), [])
        self.assertEqual(read(4, excerpt(0, b"abcd")), [])

    def test_one_after_the_other(self) -> None:
        """What follows on is read as one text."""
        self.assertEqual(read(0, excerpt(3, b"def"), excerpt(0, b"abc")), [written(0, "abcdef")])

    def test_from_a_position(self) -> None:
        """Whoever comes back goes on where they were, also within an excerpt."""
        self.assertEqual(read(2, excerpt(0, b"a", b"bc", b"d"), excerpt(4, b"ef")), [written(2, "cdef")])

    def test_overlap(self) -> None:
        """What is there twice is read once."""
        self.assertEqual(
            read(0, excerpt(0, b"abc"), excerpt(1, b"bcde"), excerpt(2, b"c")), [written(0, "abcde")]
        )

    def test_gap(self) -> None:
        """What is missing is told, at the beginning as well."""
        found = read(1, excerpt(3, b"de"), excerpt(9, b"jk"))
        self.assertEqual(found, [LeftOut(1, 3), written(3, "de"), LeftOut(5, 9), written(9, "jk")])

    def test_streams(self) -> None:
        """Each piece says where it was written."""
        both = Excerpt(RUN, 0, 4, ((OUT, b"a"), (OUT, b"b"), (ERR, b"c"), (OUT, b"d")))
        pieces = (Piece(OUT, "ab"), Piece(ERR, "c"), Piece(OUT, "d"))
        self.assertEqual(read(0, both), [Written(0, 4, pieces)])

    def test_character_at_the_end(self) -> None:
        """A character that has not come whole waits for its rest, until the command has ended."""
        half, rest = excerpt(0, b"a\xc3"), excerpt(2, b"\xa9b")
        self.assertEqual(read(0, half), [written(0, "a")])
        self.assertEqual(read(1, half), [])
        self.assertEqual(read(1, half, rest), [written(1, "\u00e9b", stop=4)])
        self.assertEqual(read(1, half, ended=True), [written(1, "\\xc3", stop=2)])

    def test_character_at_a_gap(self) -> None:
        """Nothing is told of a character of which a part is missing."""
        found = read(0, excerpt(0, b"a\xc3"), excerpt(7, b"\xa9b"))
        self.assertEqual(found, [written(0, "a"), LeftOut(1, 7), written(7, "b", stop=9)])

    def test_no_text(self) -> None:
        """Bytes that are no text can be read all the same."""
        self.assertEqual(read(0, excerpt(0, b"\xff\x00")), [written(0, "\\xff\0", stop=2)])

    @given(
        st.text("ab\u00e9\u20ac\U0001f98a", max_size=40), st.lists(st.integers(0, 12), max_size=20), st.data()
    )
    def test_any(self, text: str, sizes: list[int], data: st.DataObject) -> None:
        """However it is cut into excerpts, and whichever have come at a look, nothing is read twice."""
        whole, excerpts, start = text.encode(), list[Excerpt](), 0
        for size in sizes:
            excerpts.append(excerpt(start, whole[start : start + size]))
            start = min(start + size, len(whole))
        excerpts.append(excerpt(start, whole[start:]))
        position, found = 0, ""
        for number in range(len(excerpts) + 1):
            there = excerpts[: data.draw(st.integers(number, len(excerpts)))]
            for part in read(position, *there, ended=number == len(excerpts)):
                assert isinstance(part, Written)
                self.assertEqual(part.start, position)
                position = part.stop
                found += "".join(piece.text for piece in part.pieces)
        self.assertEqual((found, position), (text, len(whole)))


class MessageTests(SynchronousTestCase):
    def test_round_trip(self) -> None:
        """An excerpt is read as it was written, whatever is in it."""
        for each in (excerpt(0), excerpt(7, bytes(range(256)), b"x", stream=ERR)):
            self.assertEqual(Excerpt.decode(each.encode()), each)
            self.assertEqual(decode_pieces(each.encode_pieces()), each.pieces)

    def test_refusals(self) -> None:
        """What is no excerpt is refused."""
        good = b'{"run_id":"%s","start":0,"size":1,"pieces":[["out","YQ=="]]}' % RUN.encode()
        Excerpt.decode(good)
        for old, new in (
            (b'"start":0', b'"start":-1'),
            (b'"start":0', b'"start":true'),
            (b'"size":1', b'"size":9223372036854775807'),
            (b'"size":1', b'"more":1'),
            (b"YQ==", b"%"),
            (b'"out"', b'"in"'),
            (b'[["out","YQ=="]]', b'"out"'),
            (b'["out","YQ=="]', b'["out"]'),
            (b"YQ==", b"YWFh" * 22_000),
            (RUN.encode(), b"x"),
        ):
            self.assertIn(old, good)
            with self.assertRaises(BadMessage):
                Excerpt.decode(good.replace(old, new))

    def test_order(self) -> None:
        """What a runner is told is read as it was written; an order of another kind says nothing of it."""
        order = Order(OrderKind.SHOW, "why", RUN, "queue", 30.0)
        self.assertEqual(Order.decode(order.encode()), order)
        self.assertNotIn(b"address", Order(OrderKind.KILL, "why", RUN).encode())
