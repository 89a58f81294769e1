"""The frames that are sent for every message, made at once and not from pika's objects for each part of them.

AMQP 0-9-1: the specification, section 4.2, and the class `basic` of its generated reference,
https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf. All else that is sent is rare, and left to pika.
"""

import struct
from functools import lru_cache

from pika import BasicProperties, DeliveryMode, spec
from pika.data import encode_table
from pika.exceptions import ShortStringTooLong
from pika.frame import Method

from cronq.broker.interface import Message

#: Header with the reason of a message in `cronq_dead`, and how many characters of the reason it takes.
REASON_HEADER = "x-cronq-reason"
REASON_LENGTH = 1000
#: Bytes of a frame that are not its payload.
FRAME_OVERHEAD = spec.FRAME_HEADER_SIZE + spec.FRAME_END_SIZE

_FRAME = struct.Struct(">BHI")
_END = bytes([spec.FRAME_END])
#: Of a content header: its class, a weight that is always 0, the size of the body, which properties follow.
_CONTENT = struct.Struct(">HHQH")
_ACK = struct.Struct(">BHIIQBB")
_ALWAYS = (
    BasicProperties.FLAG_CONTENT_TYPE
    | BasicProperties.FLAG_DELIVERY_MODE
    | BasicProperties.FLAG_PRIORITY
    | BasicProperties.FLAG_MESSAGE_ID
)


def acceptance(channel: int, number: int, *, multiple: bool = False) -> bytes:
    """`basic.ack` of one delivery or, with `multiple`, of all up to it."""
    return _ACK.pack(spec.FRAME_METHOD, channel, 13, spec.Basic.Ack.INDEX, number, multiple, spec.FRAME_END)


def publication(channel: int, exchange: str, message: Message, frame_max: int) -> bytes:
    """`basic.publish` of a message that is persistent and mandatory, with its content.

    `frame_max` is the most bytes that a frame may have. Raises pika's `ShortStringTooLong`.
    """
    body, most = message.body, frame_max - FRAME_OVERHEAD
    parts = [_publish(channel, exchange, message.routing_key), _header(channel, message)]
    for start in range(0, len(body), most):
        piece = body[start : start + most]
        parts += _FRAME.pack(spec.FRAME_BODY, channel, len(piece)), piece, _END
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _publish(channel: int, exchange: str, routing_key: str) -> bytes:
    method = spec.Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=True)
    return bytes(Method(channel, method).marshal())


def _header(channel: int, message: Message) -> bytes:
    flags, properties = _ALWAYS, [_CONTENT_TYPE]  # in the order of their flags
    if message.reason is not None:
        flags |= BasicProperties.FLAG_HEADERS
        encode_table(properties, {REASON_HEADER: message.reason[:REASON_LENGTH]})
    properties.append(_PERSISTENT)
    # Also when it is 0: quorum queues of RabbitMQ 4.3 take a message that does not say for one of 4.
    properties.append(bytes([message.priority]))
    if message.reply_to is not None:
        flags |= BasicProperties.FLAG_REPLY_TO
        properties.append(_short_string(message.reply_to))
    properties.append(_short_string(message.message_id))
    rest = b"".join(properties)
    content = _CONTENT.pack(spec.Basic.INDEX, 0, len(message.body), flags)
    return _FRAME.pack(spec.FRAME_HEADER, channel, len(content) + len(rest)) + content + rest + _END


def _short_string(text: str) -> bytes:
    encoded = text.encode()
    if len(encoded) >= 1 << 8:
        raise ShortStringTooLong(text)
    return bytes([len(encoded)]) + encoded


_CONTENT_TYPE, _PERSISTENT = _short_string("application/json"), bytes([DeliveryMode.Persistent.value])
