"""Jobs that fail, for programs."""

from typing import Any

from cronq.database.gateway import Database
from cronq.database.reading.acknowledgements import Acknowledgement
from cronq.database.reading.failing import FailingJob, read_failing
from cronq.domain.access import Role
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.routing import Route


class FailuresApi:
    """Answers at `/api/failures`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/api/failures", self.failures, needs=Role.VIEWER),)

    async def failures(self, _request: Request) -> Response:
        """The jobs that fail, what nobody has acknowledged first."""
        view = await self._database.read(read_failing)
        return json_response({"data": {"failures": [_shape(each) for each in view.jobs], "more": view.more}})


def _shape(failing: FailingJob) -> dict[str, Any]:
    at, since = failing.latest.completed_at, failing.streak.since
    return {
        "job_id": failing.job.id,
        "name": failing.job.name,
        "category": failing.job.category.name if failing.job.category else None,
        "owner": failing.job.rules.owner,
        "run_id": failing.latest.run_id,
        "status": failing.latest.status,
        "at": at and at.isoformat(),
        "since": since and since.isoformat(),
        "count": failing.streak.count,
        "more": failing.streak.more,
        "last_words": failing.last_words,
        "acknowledged": failing.acknowledged and _acknowledged(failing.acknowledged),
    }


def _acknowledged(found: Acknowledgement) -> dict[str, Any]:
    return {"who": found.who, "note": found.note, "at": found.at.isoformat()}
