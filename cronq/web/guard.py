"""What every request has to pass, and what every response carries (OWASP: HTTP Headers, CSRF Prevention)."""

import os
import re
from urllib.parse import quote

from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request as ServerRequest

from cronq.web.bodies import BODY_LIMIT
from cronq.web.errors import BadRequest, BodyTooLarge, Misdirected, NotFound, Refused, WebError
from cronq.web.exchange import content_of, read_request, send
from cronq.web.routing import Explain

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
_LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"({_LABEL}(?:\.{_LABEL})*\.?|\[[0-9A-Fa-f:.]+\])(?::\d{{1,5}})?", re.ASCII)


class Guard(Resource):
    """Stands before the routes: refuses what pages of others send, and tells browsers what ours may do."""

    isLeaf = True

    def __init__(self, inner: IResource, explain: Explain, allowed_hosts: frozenset[str] | None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inner = inner
        self._explain = explain
        self._allowed_hosts = allowed_hosts

    def render(self, request: ServerRequest) -> bytes | int:
        """Let the request through, or say why not."""
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        try:
            self._check(request)
        except WebError:
            return send(request, self._explain(read_request(request), Failure()))
        # Quoted again, so that a slash within a segment is not taken for one between two.
        request.postpath = [quote(segment, safe="").encode() for segment in request.postpath or ()]
        rendered: bytes | int = self._inner.render(request)
        return rendered

    def _check(self, request: ServerRequest) -> None:
        if not request.method.isalpha():
            raise BadRequest("The method is no word.")
        if request.path.startswith(b"//"):  # the router would pass over the first slash
            raise NotFound("There is nothing at this address.")
        self._check_host(request)
        if request.method.decode() not in SAFE_METHODS:
            _check_origin(request)
        if content_of(request).seek(0, os.SEEK_END) > BODY_LIMIT:
            raise BodyTooLarge(f"The body has more than {BODY_LIMIT:,} bytes.")

    def _check_host(self, request: ServerRequest) -> None:
        header = request.getHeader("Host")
        if header is None:  # no browser asks like that, but checks of load balancers do
            request.requestHeaders.setRawHeaders("Host", ["localhost"])
            return
        found = _HOST.fullmatch(header)
        if found is None:
            raise BadRequest("The header Host names no host.")
        # A hostile page can have its own name resolved to the address of this machine (DNS rebinding).
        if self._allowed_hosts is not None and found[1].lower().strip("[]") not in self._allowed_hosts:
            raise Misdirected("No host of this name is served here.")


def _check_origin(request: ServerRequest) -> None:
    """Refuse what a page of another site had a browser send; programs send none of these headers."""
    site = request.getHeader("Sec-Fetch-Site")
    if site is not None:  # no page can forge it, and no proxy that changes Host misleads it
        if site not in {"same-origin", "none"}:
            raise Refused("A page of another site has sent this.")
        return
    origin = request.getHeader("Origin")
    if origin is not None and origin.partition("://")[2].lower() != (request.getHeader("Host") or "").lower():
        raise Refused(f"A page of {origin[:200]} has sent this.")
