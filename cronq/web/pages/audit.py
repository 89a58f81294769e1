"""The page of an audit."""

from cronq.domain.access import Role
from cronq.web.actions.auditing import Auditor
from cronq.web.http.exchange import Request, Response
from cronq.web.http.routing import Route
from cronq.web.pages.rendering import Renderer


class AuditPage:
    """Answers at `/audit`."""

    def __init__(self, renderer: Renderer, auditor: Auditor) -> None:
        self._page = renderer.page
        self._auditor = auditor

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/audit", self.audit, needs=Role.VIEWER),)

    async def audit(self, request: Request) -> Response:
        """Whether every slot of a period is accounted for."""
        view = await self._auditor.audit(request)
        return self._page(request, "audit.html", view=view, now=view.now)
