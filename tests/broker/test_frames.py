"""What is put on the wire without pika: it is what pika would have put there."""

from hypothesis import given
from hypothesis import strategies as st
from pika import BasicProperties, DeliveryMode, frame, spec
from pika.exceptions import ShortStringTooLong
from twisted.trial.unittest import SynchronousTestCase

from cronq.broker.amqp.frames import FRAME_OVERHEAD, REASON_HEADER, REASON_LENGTH, acceptance, publication
from cronq.broker.interface import Message

FRAME_MAX = 4096
NAMES = st.text(min_size=1, max_size=60)
MESSAGES = st.builds(
    Message,
    NAMES,
    st.one_of(st.binary(max_size=40), st.integers(0, 3 * FRAME_MAX).map(bytes)),
    NAMES,
    reply_to=st.none() | NAMES,
    reason=st.none() | st.text(max_size=2 * REASON_LENGTH),
    priority=st.integers(0, 9),
)


def by_pika(channel: int, exchange: str, message: Message) -> bytes:
    """The same frames, made of pika's objects."""
    properties = BasicProperties(
        content_type="application/json",
        delivery_mode=DeliveryMode.Persistent.value,
        message_id=message.message_id,
        reply_to=message.reply_to,
        priority=message.priority,
        headers=None if message.reason is None else {REASON_HEADER: message.reason[:REASON_LENGTH]},
    )
    method = spec.Basic.Publish(exchange=exchange, routing_key=message.routing_key, mandatory=True)
    most, body = FRAME_MAX - FRAME_OVERHEAD, message.body
    pieces = [body[start : start + most] for start in range(0, len(body), most)]
    frames = [
        frame.Method(channel, method),
        frame.Header(channel, len(body), properties),
        *(frame.Body(channel, piece) for piece in pieces),
    ]
    return b"".join(each.marshal() for each in frames)


class FramesTests(SynchronousTestCase):
    @given(st.integers(1, 2**16 - 1), st.sampled_from(["", "cronq"]), MESSAGES)
    def test_publication(self, channel: int, exchange: str, message: Message) -> None:
        """A message of any size, with all that may be said of it."""
        self.assertEqual(
            publication(channel, exchange, message, FRAME_MAX), by_pika(channel, exchange, message)
        )

    def test_largest_frame(self) -> None:
        """No frame is larger than both sides have agreed, and none smaller without need."""
        sizes = []
        rest = publication(1, "", Message("key", bytes(3 * FRAME_MAX), "id"), FRAME_MAX)
        while rest:
            size, read = frame.decode_frame(rest)
            rest = rest[size:]
            if isinstance(read, frame.Body):
                sizes.append(size)
        self.assertEqual(sizes[:-1], [FRAME_MAX] * 3)

    @given(st.integers(1, 2**16 - 1), st.integers(1, 2**63), st.booleans())
    def test_acceptance(self, channel: int, number: int, multiple: bool) -> None:
        """The acceptance of one delivery, with or without all before it."""
        by_pika = frame.Method(channel, spec.Basic.Ack(number, multiple)).marshal()
        self.assertEqual(acceptance(channel, number, multiple=multiple), by_pika)

    def test_too_long(self) -> None:
        """A name of more than 255 bytes is refused, as by pika."""
        long = "é" * 128
        for message in (
            Message(long, b"", "id"),
            Message("k", b"", long),
            Message("k", b"", "i", reply_to=long),
        ):
            self.assertRaises(ShortStringTooLong, publication, 1, "", message, FRAME_MAX)
