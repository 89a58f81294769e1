"""What people have changed: a page of it, and the same for programs."""

from typing import Any

from cronq.database.gateway import Database
from cronq.database.reading.changes import ChangePage, ChangeRecord, ChangeSearch, read_changes
from cronq.domain.access import Role
from cronq.domain.changes import Action
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.fields import member, whole_number
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer

ON_A_PAGE, MOST_ON_A_PAGE = 50, 500
#: The greatest id that the table can hold.
GREATEST = 2**63 - 1


class ChangesPage:
    """Shows the record of changes."""

    def __init__(self, database: Database, renderer: Renderer) -> None:
        self._database = database
        self._renderer = renderer

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/changes", self.page, needs=Role.VIEWER),
            Route("/api/changes", self.api, needs=Role.VIEWER),
        )

    async def page(self, request: Request) -> Response:
        """The changes for people."""
        search, found = await self._read(request, ON_A_PAGE)
        return self._renderer.page(
            request, "changes.html", view=found, search=search, now=found.now, actions=list(Action)
        )

    async def api(self, request: Request) -> Response:
        """The changes for programs."""
        limit = whole_number(request, "per_page", least=1) or ON_A_PAGE
        _, found = await self._read(request, min(limit, MOST_ON_A_PAGE))
        shapes = [_shape(each) for each in found.changes]
        return json_response({"data": {"changes": shapes, "older": found.older}})

    async def _read(self, request: Request, limit: int) -> tuple[ChangeSearch, ChangePage]:
        search = ChangeSearch(
            who=request.fields.get("who", "").strip() or None,
            action=member(request, "action", Action),
            job_id=whole_number(request, "job") if request.fields.get("job") else None,
            part_of=whole_number(request, "part_of", most=GREATEST),
        )
        before = whole_number(request, "before", most=GREATEST)
        return search, await self._database.read(read_changes, search, limit, before)


def _shape(change: ChangeRecord) -> dict[str, Any]:
    return {
        "id": change.id,
        "at": change.at.isoformat(timespec="seconds"),
        "who": change.who,
        "via": change.via,
        "address": change.address,
        "action": change.action,
        "subject": change.subject,
        "job_id": change.job_id,
        "part_of": change.part_of,
        "before": change.before,
        "after": change.after,
    }
