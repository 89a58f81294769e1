"""Categories, for programs."""

from collections.abc import Callable

from cronq.database.categories import replace_category
from cronq.database.gateway import Database, RunInThread
from cronq.database.reading.categories import find_category, list_categories
from cronq.database.reading.documents import read_stored_document
from cronq.domain.access import Role
from cronq.domain.document_values import shown
from cronq.domain.documents import Document, read_document
from cronq.web.api.shapes import category_shape
from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import JSON_TYPE, Request, Response, json_response
from cronq.web.http.fields import segment, whole_number
from cronq.web.http.routing import Route
from cronq.web.safety.door import check_category


class CategoriesApi:
    """Answers at `/api/category` and `/api/categories`."""

    def __init__(
        self, database: Database, run_in_thread: RunInThread, on_run_requested: Callable[[], None]
    ) -> None:
        self._database = database
        self._run_in_thread = run_in_thread
        self._on_run_requested = on_run_requested

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route(
                "/api/category/<name>",
                self.replace_category,
                ("PUT", "POST"),
                needs=Role.EDITOR,
                by_category=True,
            ),
            Route("/api/category/<name>", self.document, needs=Role.VIEWER),
            Route("/api/categories", self.categories, needs=Role.VIEWER),
            Route("/api/categories/<name>", self.category, needs=Role.VIEWER),
        )

    async def replace_category(self, request: Request, name: str) -> Response:
        """Replace what a category consists of by the document in the body."""
        category = segment(name)
        check_category(request.caller, Role.EDITOR, category)
        # Ten megabytes take seconds to check, in which this process has other things to do.
        document: Document = await self._run_in_thread(_read_document, request.body, category)
        await self._database.transact(replace_category, document.category, request.caller.actor)
        self._on_run_requested()
        warnings = {"warnings": list(document.warnings)} if document.warnings else {}
        return json_response({"status": "success", **warnings})

    async def document(self, _request: Request, name: str) -> Response:
        """The document of a category as it is stored: put in place as it is, it changes nothing."""
        found = await self._database.read(read_stored_document, segment(name))
        if found is None:
            raise _no_such(segment(name))
        return Response(200, found.text.encode(), {"Content-Type": JSON_TYPE})

    async def categories(self, request: Request) -> Response:
        """All categories, or the one of an id."""
        category_id = whole_number(request, "id")
        found = await self._database.read(list_categories, category_id)
        return json_response({"data": {"categories": [category_shape(each) for each in found]}})

    async def category(self, _request: Request, name: str) -> Response:
        """The category of a name."""
        found = await self._database.read(find_category, segment(name))
        if found is None:
            raise _no_such(segment(name))
        return json_response({"data": {"category": category_shape(found)}})


def _no_such(name: str) -> NotFound:
    return NotFound(f"There is no category {shown(name)}.")


def _read_document(body: bytes, category: str) -> Document:
    return read_document(body, name=category)
