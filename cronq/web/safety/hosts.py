"""By which names the web may be asked for: a hostile page can have its own resolved to us (DNS rebinding)."""

import re
from dataclasses import dataclass
from ipaddress import ip_address

from cronq.web.http.errors import BadRequest, Misdirected

_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\]"
_HOST = re.compile(rf"({_NAME})(?::\d{{1,5}})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Hosts:
    """Names of this machine for itself, and those that the operator has listed."""

    #: In lower case and without a port.
    listed: frozenset[str] = frozenset()
    #: Whether all others will do as well: no browser reaches a UNIX socket.
    any: bool = False

    def check(self, header: str) -> None:
        """Look at a header Host; raises `BadRequest` and `Misdirected`."""
        found = _HOST.fullmatch(header)
        if found is None:
            raise BadRequest("The header Host names no host.")
        name = _bare(found[1])
        if not (self.any or name in self.listed or is_loopback(name)):
            raise Misdirected(
                f"No host {name} is served here. If it is right, list it: --allowed-host {name}, or "
                f"CRONQ_ALLOWED_HOSTS={name}"
            )


def parse_host(text: str) -> str:
    """A name as it is listed; raises `ValueError`."""
    if not re.fullmatch(_NAME, text, re.ASCII) and not _is_address(text):
        raise ValueError("the name or the address of a host, without a port")
    return _bare(text)


def is_loopback(name: str) -> bool:
    """Whether a host of that name can only be this machine (RFC 6761, section 6.3)."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name) and ip_address(name).is_loopback


def _bare(host: str) -> str:
    return host.lower().strip("[]").removesuffix(".")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
