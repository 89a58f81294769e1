"""What every request has to pass, and what every response carries (OWASP: HTTP Headers, CSRF Prevention)."""

import os
from urllib.parse import quote

from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request as ServerRequest

from cronq.web.http.bodies import BODY_LIMIT
from cronq.web.http.errors import BadRequest, BodyTooLarge, Misdirected, NotFound, WebError
from cronq.web.http.exchange import content_of, make_readable, read_request, send
from cronq.web.http.routing import Explain
from cronq.web.safety.hosts import Hosts
from cronq.web.safety.senders import check_site

SAFE_METHODS = frozenset({b"GET", b"HEAD", b"OPTIONS"})
STATUS = b"/_status"
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


class Guard(Resource):
    """Stands before the routes: refuses what pages of others send, and tells browsers what ours may do."""

    isLeaf = True

    def __init__(self, inner: IResource, explain: Explain, hosts: Hosts) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inner = inner
        self._explain = explain
        self._hosts = hosts

    def render(self, request: ServerRequest) -> bytes | int:
        """Let the request through, or say why not."""
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        make_readable(request)
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
        if request.method not in SAFE_METHODS:
            check_site(request)
        if content_of(request).seek(0, os.SEEK_END) > BODY_LIMIT:
            raise BodyTooLarge(f"The body has more than {BODY_LIMIT:,} bytes.")

    def _check_host(self, request: ServerRequest) -> None:
        header = request.getHeader("Host")
        if len(request.requestHeaders.getRawHeaders("Host") or ()) > 1:
            raise BadRequest("The header Host is there more than once.")
        if header is None:  # no browser asks like that, but checks of load balancers do
            request.requestHeaders.setRawHeaders("Host", ["localhost"])
            return
        try:
            self._hosts.check(header)
        except Misdirected:
            if request.path != STATUS:  # they ask by address, too, and learn nothing that is secret
                raise
