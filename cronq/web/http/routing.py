"""Klein and nothing else: it finds the route, and all that answers works on plain values."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from twisted.web.server import Request as ServerRequest

from cronq.domain.access import Role
from cronq.web.http.exchange import Request, Response, read_request, send
from cronq.web.http.streams import Stream, Streams

#: Makes the response that explains what went wrong.
Explain = Callable[[Request, Failure], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A path in Werkzeug's notation, and what answers there, given the request and the path's variables."""

    path: str
    answer: Callable[..., Awaitable[Response | Stream]]
    methods: tuple[str, ...] = ("GET",)
    #: The role that it takes; None: it is there for everybody, and is not told who asks.
    needs: Role | None = field(kw_only=True)
    #: Whether what answers sees to it that whoever is limited to categories stays within them. Without that
    #: they may only look here.
    by_category: bool = False


#: Finds out who sends a request, and whether they may; gives it with the caller in it.
Admit = Callable[[ServerRequest, Route], Awaitable[Request]]


def klein_resource(routes: Iterable[Route], admit: Admit, explain: Explain, streams: Streams) -> IResource:
    """A resource with these routes; whatever goes wrong in it is explained in one place."""
    app = Klein()
    # A redirect to the path with fewer slashes would name the host that the request names.
    app.url_map.merge_slashes = False
    for route in routes:
        name = f"{'/'.join(route.methods)} {route.path}"
        app.route(route.path, methods=route.methods, endpoint=name)(_endpoint(route, admit, streams))

    @app.handle_errors
    def failed(request: Any, failure: Failure) -> bytes:
        return send(request, explain(read_request(request), failure))

    resource: IResource = app.resource()
    return resource


def _endpoint(route: Route, admit: Admit, streams: Streams) -> Callable[..., Awaitable[bytes]]:
    async def endpoint(raw: ServerRequest, **variables: Any) -> bytes:
        answer = await route.answer(await admit(raw, route), **variables)
        if isinstance(answer, Response):
            return send(raw, answer)
        await streams.send(raw, answer)
        return b""

    return endpoint
