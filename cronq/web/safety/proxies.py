"""What a proxy says of the client behind it, and whether it is to be believed."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from twisted.internet.address import UNIXAddress
from twisted.web.server import Request as ServerRequest

from cronq.web.http.errors import BadRequest

REMOTE_USER = "X-Remote-User"
#: In the list of proxies: whoever reaches the UNIX socket that the web listens on.
UNIX = "unix"
_SOCKET = "a UNIX socket"


@dataclass(frozen=True, slots=True)
class Proxies:
    """Those that are trusted: each overwrites these headers, whatever a client has sent in them."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    @classmethod
    def parse(cls, names: tuple[str, ...]) -> "Proxies":
        """Read addresses, networks and `unix`; raises `ValueError`."""
        networks = tuple(ip_network(name) for name in names if name != UNIX)
        return cls(networks, UNIX in names)

    def address(self, request: ServerRequest) -> str:
        """Where a request comes from: of a trusted proxy, what it says of its client."""
        found = _peer(request)
        if not self._trusts(found):
            return found
        for hop in reversed(_values(request, "X-Forwarded-For")):
            try:
                found = str(_plain(hop))
            except ValueError:
                break
            if not self._trusts(found):
                break
        return found

    def user(self, request: ServerRequest) -> str | None:
        """Whom a trusted proxy has let in; None when it says nothing, or is not trusted."""
        if not self._trusts(_peer(request)):
            return None
        found = request.requestHeaders.getRawHeaders(REMOTE_USER) or []
        if len(found) > 1:
            raise BadRequest(f"The header {REMOTE_USER} is there more than once.")
        return found[0].strip() or None if found else None

    def _trusts(self, address: str) -> bool:
        if address == _SOCKET:
            return self.unix
        try:
            found = ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self.networks)


def is_secure(request: ServerRequest) -> bool:
    """Whether the browser uses HTTPS. (Who lies about it only does without a cookie of their own.)"""
    proto = _values(request, "X-Forwarded-Proto")
    return bool(request.isSecure() or (proto and proto[-1].lower() == "https"))


def _peer(request: ServerRequest) -> str:
    found = request.getClientAddress()
    if isinstance(found, UNIXAddress):
        return _SOCKET
    try:
        return str(_plain(getattr(found, "host", "")))
    except ValueError:
        return "an unknown address"


def _plain(text: str) -> object:
    found = ip_address(text.partition("%")[0])
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _values(request: ServerRequest, name: str) -> list[str]:
    lines = request.requestHeaders.getRawHeaders(name) or []
    return [each.strip() for line in lines for each in line.split(",") if each.strip()]
