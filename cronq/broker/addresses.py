"""Where the broker is and how to speak to it: the setting `RABBITMQ_URL`, taken apart.

Follows the AMQP URI specification (https://www.rabbitmq.com/docs/uri-spec) and allows several hosts.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from cronq.broker.url_parameters import BadAddress, parse_parameters

__all__ = ["Address", "BadAddress", "Tls", "parse_addresses"]

PORT = 5672
TLS_PORT = 5671
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class Tls:
    """How the server of an `amqps://` URL is verified, and as whom we come; every file is PEM."""

    #: The name that must be in the server's certificate.
    server_hostname: str
    #: Authorities to trust: a file, a folder of files, or the certificates themselves. None: the system's.
    cafile: str | None = None
    capath: str | None = None
    cadata: str | None = None
    #: Our own certificate with its chain, its key (in the same file when not named) and the key's password.
    certfile: str | None = None
    keyfile: str | None = None
    password: str | None = field(default=None, repr=False)
    #: The ciphers to allow, as OpenSSL writes them.
    ciphers: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """One broker. From `heartbeat` on the fields are URL parameters; None leaves the choice to the broker."""

    host: str
    port: int = PORT
    user: str = "guest"
    password: str = field(default="guest", repr=False)
    virtual_host: str = "/"
    tls: Tls | None = None
    #: Seconds of silence after which either side gives the connection up; 0: never.
    heartbeat: int | None = None
    #: Seconds until a connection that the broker blocks (its memory or disk alarm) is given up; None: never.
    blocked_connection_timeout: float | None = None
    #: Seconds to connect, then seconds for the broker to let us in.
    socket_timeout: float = 10.0
    stack_timeout: float = 15.0
    frame_max: int | None = None
    channel_max: int | None = None
    locale: str | None = None
    client_properties: Mapping[str, object] = field(default_factory=dict)
    #: Options of the socket, by their names in Python's `socket` module.
    tcp_options: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_addresses(url: str) -> tuple[Address, ...]:
    """The brokers of `amqp://user:password@host:port,host:port/vhost?heartbeat=30`, in the order to try them.

    Whole URLs may be joined by commas as well. Raises BadAddress, whose text never holds a password.
    """
    return tuple(address for part in re.split(r",(?=amqps?://)", url) for address in _parse_url(part))


def _parse_url(url: str) -> list[Address]:
    scheme, _, rest = url.partition("://")
    if scheme not in {"amqp", "amqps"}:
        raise BadAddress("must begin with amqp:// or amqps://")
    rest, _, query = rest.partition("?")
    place, _, virtual_host = rest.partition("/")
    login, _, hosts = place.rpartition("@")
    parameters = parse_parameters(query)
    ssl_options = parameters.pop("ssl_options", None)
    values = {"virtual_host": unquote(virtual_host) or "/", **_parse_login(login), **parameters}
    if scheme == "amqps":
        return [
            _with_tls(_parse_host(host, TLS_PORT, values), ssl_options or {}) for host in hosts.split(",")
        ]
    if ssl_options:
        raise BadAddress("parameter ssl_options is for amqps://")
    return [_parse_host(host, PORT, values) for host in hosts.split(",")]


def _parse_login(login: str) -> dict[str, str]:
    user, _, password = login.partition(":")
    return {"user": unquote(user), "password": unquote(password)} if login else {}


def _parse_host(text: str, default_port: int, values: Mapping[str, Any]) -> Address:
    match = _HOST.fullmatch(text)
    port = int(match["port"] or default_port) if match else 0
    if match is None or not 0 < port < 1 << 16:
        # The text itself is not shown: a "/" in a password, say, would put a part of the password here.
        raise BadAddress(
            "a host is written NAME or NAME:PORT, several with commas between;"
            " in a user name or password write %2F for /, %3A for :, %3F for ? and %40 for @"
        )
    return Address(match["ipv6"] or match["name"] or "localhost", port, **values)


def _with_tls(address: Address, options: Mapping[str, str]) -> Address:
    return dataclasses.replace(address, tls=Tls(**{"server_hostname": address.host, **options}))
