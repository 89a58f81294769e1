"""The files beside the pages: style sheet, script and favicon."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from cronq.web.errors import NotFound
from cronq.web.exchange import Request, Response

_TYPES = {
    "cronq.css": "text/css; charset=utf-8",
    "cronq.js": "text/javascript; charset=utf-8",
    "favicon.svg": "image/svg+xml",
}
#: An address holds a digest of what is there, so it never changes.
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class _Asset:
    content: bytes
    type: str
    address: str


class Assets:
    """Reads the files once, and serves them from memory."""

    def __init__(self) -> None:
        folder = files("cronq.web") / "static"
        self._assets = {name: _asset(name, (folder / name).read_bytes()) for name in _TYPES}

    def address(self, name: str) -> str:
        """Where a page finds a file."""
        return self._assets[name].address

    async def serve(self, _request: Request, name: str) -> Response:
        """A file, whatever its address said of its digest."""
        asset = self._assets.get(name)
        if asset is None:
            raise NotFound("There is no such file.")
        headers = {"Content-Type": asset.type, "Cache-Control": _FOR_EVER}
        return Response(200, asset.content, headers)


def _asset(name: str, content: bytes) -> _Asset:
    digest = sha256(content).hexdigest()[:12]
    return _Asset(content, _TYPES[name], f"/static/{name}?{digest}")
