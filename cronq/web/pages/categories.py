"""The pages of the categories, and of documents for them."""

import re
import shlex
from collections.abc import Callable
from urllib.parse import quote

from cronq.database.gateway import Database, RunInThread
from cronq.database.reading.category_pages import read_category_list, read_category_page
from cronq.domain.access import Role, Via
from cronq.domain.document_values import shown
from cronq.web.actions.drafts import LONGEST, Draft, Drafts
from cronq.web.http.errors import NotFound
from cronq.web.http.exchange import Request, Response, see_other
from cronq.web.http.fields import category_path, segment
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer

LIST = "/categories"
#: A longer document is not shown on a page, only given as a file.
MOST_SHOWN = 48 * 1024  # characters
#: What is not good in the name of a file.
_UNUSUAL = re.compile(r"[^A-Za-z0-9._]+")


class CategoryPages:
    """Answers at `/categories` and `/category/<name>`."""

    def __init__(
        self,
        database: Database,
        renderer: Renderer,
        run_in_thread: RunInThread,
        on_run_requested: Callable[[], None],
    ) -> None:
        self._database = database
        self._page = renderer.page
        self._drafts = Drafts(database, run_in_thread, on_run_requested)

    def routes(self) -> tuple[Route, ...]:
        """Their addresses."""
        post = ("POST",)
        return (
            Route(LIST, self.categories, needs=Role.VIEWER),
            Route(LIST, self.look, post, needs=Role.VIEWER),
            Route("/category/<name>", self.category, needs=Role.VIEWER),
            Route("/category/<name>", self.put, post, needs=Role.EDITOR, by_category=True),
        )

    async def categories(self, request: Request) -> Response:
        """The categories by name."""
        after, before = request.fields.get("after"), request.fields.get("before")
        view = await self._database.read(read_category_list, after, before)
        return self._page(request, "categories.html", view=view, now=view.now, longest=LONGEST)

    async def category(self, request: Request, name: str) -> Response:
        """A category and its document."""
        view = await self._database.read(read_category_page, segment(name))
        if view is None:
            raise NotFound(f"There is no category {shown(segment(name))}.")
        text = "" if view.document is None else view.document.text
        return self._page(
            request,
            "category.html",
            view=view,
            now=view.now,
            text=text if len(text) <= MOST_SHOWN else "",
            commands=_commands(request, segment(name)),
            source=f"/api{category_path(segment(name))}",
            longest=LONGEST,
        )

    async def look(self, request: Request) -> Response:
        """What a document would change, without changing anything."""
        return self._show(request, await self._drafts.look(request))

    async def put(self, request: Request, name: str) -> Response:
        """Put in place the document that was looked at."""
        draft = await self._drafts.put(request, segment(name))
        return see_other(category_path(segment(name))) if draft is None else self._show(request, draft)

    def _show(self, request: Request, draft: Draft) -> Response:
        code = 400 if draft.faults else 409 if draft.conflict else 200
        return self._page(request, "draft.html", code, draft=draft, now=None)


def _commands(request: Request, name: str) -> dict[str, str]:
    """What somebody types to get the document, and to put it in place."""
    scheme = "https" if request.secure else "http"
    url = shlex.quote(f"{scheme}://{request.host}/api/category/{quote(name, safe='')}")
    header = "" if request.caller.actor.via is Via.OPEN else ' -H "Authorization: Bearer $CRONQ_TOKEN"'
    kind = header and " -H 'Content-Type: application/json'"
    file = f"{_UNUSUAL.sub('-', name).strip('-') or 'category'}.json"
    return {
        "file": file,
        "export": f"cronq export {shlex.quote(name)} > {file}",
        "fetch": f"curl{header} -o {file} {url}",
        "send": f"curl{header}{kind} -T {file} {url}",
        "apply": f"cronq apply {file}",
    }
