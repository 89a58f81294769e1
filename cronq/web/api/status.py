"""Whether all is well, for programs."""

from cronq.database.gateway import Database
from cronq.database.schema import is_current
from cronq.domain.access import Role
from cronq.domain.errors import DatabaseUnavailable
from cronq.web.actions.auditing import Auditor, AuditView
from cronq.web.api.audit_shapes import Shape, finding_shape, totals_shape
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.routing import Route


class StatusApi:
    """Answers at `/_status` and `/api/audit`."""

    def __init__(self, database: Database, auditor: Auditor) -> None:
        self._database = database
        self._auditor = auditor

    def routes(self) -> tuple[Route, ...]:
        """Its addresses."""
        return (
            Route("/_status", self.status, needs=None),
            Route("/api/audit", self.audit, needs=Role.VIEWER),
        )

    async def status(self, _request: Request) -> Response:
        """Whether the database answers, and has the tables that all else needs."""
        if not await self._database.read(is_current):
            raise DatabaseUnavailable("the tables are not those of this version; injectors make them")
        return json_response({"status": "OK"})

    async def audit(self, request: Request) -> Response:
        """Whether every slot of a period is accounted for."""
        found = await self._auditor.audit(request)
        return json_response({"data": {"audit": audit_shape(found)}})


def audit_shape(view: AuditView) -> Shape:
    """What the API says of an audit."""
    return totals_shape(view.totals, view.since, view.until, view.pruned_until) | {
        "accounted_for": view.complete and not view.totals.findings,
        "complete": view.complete,
        "findings": [finding_shape(each) for each in view.findings],
    }
