"""What follows the question mark in a broker's URL: the parameters of pika's `URLParameters`.

https://pika.readthedocs.io/en/stable/modules/parameters.html
"""

import ast
import math
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from cronq.domain.errors import CronqError


class BadAddress(CronqError):
    """A broker URL that cannot be used; the text says what is allowed."""


def parse_parameters(query: str) -> dict[str, Any]:
    """The values of `heartbeat=30&socket_timeout=5` by name. Raises BadAddress, without what was written."""
    values: dict[str, Any] = {}
    for name, text in parse_qsl(query, keep_blank_values=True):
        if name not in _PARAMETERS:
            # Without the name: after a "?" in a password, it would be a part of the password.
            raise BadAddress(f"after the ? there may be {', '.join(_PARAMETERS)} (in a password write %3F)")
        if name in values:
            raise BadAddress(f"parameter {name} is there twice")
        read, allowed = _PARAMETERS[name]
        try:
            values[name] = read(text)
        except (ValueError, SyntaxError):
            # Without the text, which may be a dictionary that holds the password of a key.
            raise BadAddress(f"parameter {name} must be {allowed}") from None
    return {name: value for name, value in values.items() if name not in _WITHOUT_EFFECT}


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError(value)
        return value

    return read


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError(value)
    return value


def _dictionary(text: str) -> dict[str, Any]:
    value = ast.literal_eval(text)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise ValueError(value)
    return value


def _numbers(text: str) -> dict[str, int]:
    value = _dictionary(text)
    if not all(hasattr(socket, key) and isinstance(number, int) for key, number in value.items()):
        raise ValueError(value)
    return value


def _tls_options(text: str) -> dict[str, str]:
    options = {_SPELLINGS.get(name, name): value for name, value in _dictionary(text).items()}
    if not all(name in _TLS_OPTIONS and isinstance(value, str) for name, value in options.items()):
        raise ValueError(options)
    return options


_TLS_OPTIONS = ("server_hostname", "cafile", "capath", "cadata", "certfile", "keyfile", "password", "ciphers")
_SPELLINGS = {"ca_certs": "cafile", "ca_path": "capath", "ca_data": "cadata"}
_SECONDS = (_seconds, "a number of seconds, more than 0")
_PARAMETERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "heartbeat": (_whole(0, 65535), "a whole number of seconds, 0 to 65535"),
    "blocked_connection_timeout": _SECONDS,
    "socket_timeout": _SECONDS,
    "stack_timeout": _SECONDS,
    "frame_max": (_whole(4096, 131072), "a whole number of bytes, 4096 to 131072"),
    "channel_max": (_whole(1, 65535), "a whole number, 1 to 65535"),
    "locale": (str, "text"),
    "client_properties": (_dictionary, "a dictionary as Python writes it"),
    "tcp_options": (_numbers, "a dictionary as Python writes it, such as {'TCP_KEEPIDLE': 60}"),
    "ssl_options": (_tls_options, f"a dictionary as Python writes it, of {', '.join(_TLS_OPTIONS)}"),
    "connection_attempts": (_whole(1, 1 << 31), "a whole number, more than 0"),
    "retry_delay": _SECONDS,
}
#: Understood, so that one URL serves several programs; cronq reconnects for ever, at its own pace.
_WITHOUT_EFFECT = {"connection_attempts", "retry_delay"}
