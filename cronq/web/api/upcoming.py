"""What is to come, for programs."""

from typing import Any

from cronq.database.gateway import Database
from cronq.domain.access import Role
from cronq.web.actions.forecasting import Forecast, Forecaster
from cronq.web.actions.upcoming import ComingRun, upcoming
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.routing import Route


class UpcomingApi:
    """Answers at `/api/upcoming`."""

    def __init__(self, database: Database, forecaster: Forecaster) -> None:
        self._database = database
        self._forecaster = forecaster

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/api/upcoming", self.upcoming, needs=Role.VIEWER),)

    async def upcoming(self, request: Request) -> Response:
        """The next slots, and how full the next day or week will be."""
        view = await upcoming(self._database, self._forecaster, request)
        found = {"slots": [_slot_shape(each) for each in view.slots], "load": _load_shape(view.forecast)}
        return json_response({"data": {"upcoming": found}})


def _slot_shape(run: ComingRun) -> dict[str, Any]:
    return {
        "slot": run.slot.isoformat(),
        "job_id": run.job.id,
        "name": run.job.name,
        "category": run.job.category.name if run.job.category else None,
        "usual_duration": None if run.usual is None else run.usual.median,
    }


def _load_shape(forecast: Forecast) -> dict[str, Any]:
    load = forecast.load
    return {
        "from": load.begin.isoformat(),
        "to": load.end.isoformat(),
        "step": load.step.total_seconds(),
        "starts": [round(count, 1) for count in load.starts],
        "running": [round(count, 3) for count in load.running],
        "estimated": forecast.looked_at < forecast.schedules,
    }
