"""Klein and nothing else: it finds the route, and all that answers works on plain values."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from klein import Klein
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.web.resource import IResource
from twisted.web.server import Request as ServerRequest

from cronq.domain.access import Caller, Role
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


#: Finds out whose session a request is of, as far as that can be done, when it has come to nothing.
Recognise = Callable[[ServerRequest, Failure], Awaitable[Caller]]


def klein_resource(
    routes: Iterable[Route], admit: Admit, recognise: Recognise, explain: Explain, streams: Streams
) -> IResource:
    """A resource with these routes; whatever goes wrong in it is explained in one place."""
    app = Klein()
    # A redirect to the path with fewer slashes would name the host that the request names.
    app.url_map.merge_slashes = False
    for route in routes:
        name = f"{'/'.join(route.methods)} {route.path}"
        app.route(route.path, methods=route.methods, endpoint=name)(_endpoint(route, admit, streams))

    @app.handle_errors
    def failed(request: Any, failure: Failure) -> Deferred[bytes]:
        return Deferred.fromCoroutine(_explained(request, failure, recognise, explain))

    resource: IResource = app.resource()
    return resource


async def _explained(raw: ServerRequest, failure: Failure, recognise: Recognise, explain: Explain) -> bytes:
    request = read_request(raw)
    if not request.wants_json:
        request = replace(request, caller=await recognise(raw, failure))
    return send(raw, explain(request, failure))


def _endpoint(route: Route, admit: Admit, streams: Streams) -> Callable[..., Awaitable[bytes]]:
    async def endpoint(raw: ServerRequest, **variables: Any) -> bytes:
        answer = await route.answer(await admit(raw, route), **variables)
        if isinstance(answer, Response):
            return send(raw, answer)
        await streams.send(raw, answer)
        return b""

    return endpoint
