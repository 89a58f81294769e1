"""The files beside the pages: style sheet, script and favicon."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import Request, Response

#: The parts of the style sheet in the order in which they override each other.
_STYLES = (
    "colours",
    "ground",
    "frame",
    "heads",
    "controls",
    "statuses",
    "forms",
    "tables",
    "sections",
    "joblist",
    "runs",
    "upcoming",
    "failing",
    "job",
    "live",
    "overview",
    "documents",
    "dialogs",
    "phones",
)
_SCRIPTS = ("times", "search", "output", "copying", "morph", "renewing", "live", "keys")
#: One for when all is well, and one for when something needs attention.
_ICONS = ("favicon.svg", "trouble.svg")
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
        static = files("cronq.web") / "static"
        styles = _joined(static / "styles", _STYLES, ".css")
        scripts = _joined(static / "scripts", _SCRIPTS, ".js")
        self._assets = {
            "cronq.css": _asset("cronq.css", styles, "text/css; charset=utf-8"),
            "cronq.js": _asset("cronq.js", scripts, "text/javascript; charset=utf-8"),
        } | {name: _asset(name, (static / name).read_bytes(), "image/svg+xml") for name in _ICONS}

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


def _joined(folder: Traversable, names: tuple[str, ...], ending: str) -> bytes:
    """What is written in several files, so that a browser asks but once."""
    return b"\n".join((folder / (name + ending)).read_bytes() for name in names)


def _asset(name: str, content: bytes, kind: str) -> _Asset:
    digest = sha256(content).hexdigest()[:12]
    return _Asset(content, kind, f"/static/{name}?{digest}")
