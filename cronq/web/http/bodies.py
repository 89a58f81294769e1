"""Bodies of bounded size, whatever a client sends."""

from twisted.web import http
from twisted.web.server import Request, Site

from cronq.web.http.exchange import content_of, is_json

BODY_LIMIT = 16 * 1024 * 1024  # bytes
#: What is larger is no form of ours, and is not taken apart as one: that would take all else's time.
FORM_LIMIT = 64 * 1024
#: A client that goes on sending so many bytes after that is cut off.
PATIENCE = 64 * 1024 * 1024


class BoundedRequest(Request):
    """A request that keeps at most `BODY_LIMIT` bytes of its body, or one chunk more.

    The rest is read and dropped, since a client that is still sending may not hear that it is refused.
    """

    _dropped = 0

    def handleContentChunk(self, data: bytes) -> None:
        """Keep it or drop it."""
        kept = content_of(self).tell()
        if kept + len(data) > FORM_LIMIT and not is_json(self):
            self.requestHeaders.removeHeader("Content-Type")
        if kept <= BODY_LIMIT:
            super().handleContentChunk(data)  # type: ignore[no-untyped-call]
            return
        if self._dropped <= PATIENCE < self._dropped + len(data):
            self._cut_off()
        self._dropped += len(data)

    def _cut_off(self) -> None:
        transport = self.channel.transport
        assert transport is not None
        transport.write(b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n")
        transport.loseConnection()


class QuietSite(Site):
    """A site whose bodies are bounded, without Twisted's access log."""

    requestFactory = BoundedRequest

    def log(self, request: http.Request) -> None:
        """Say nothing."""
