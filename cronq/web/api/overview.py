"""The numbers of the overview, for programs."""

from datetime import datetime
from typing import Any

from cronq.database.gateway import Database
from cronq.database.reading.hours import Hours
from cronq.database.reading.overview import ComingJob, Numbers, OverviewView, RunningRun, read_overview
from cronq.domain.access import Role
from cronq.domain.concerns import Concern
from cronq.domain.standing import Daemon
from cronq.web.http.exchange import Request, Response, json_response
from cronq.web.http.routing import Route
from cronq.web.words.concerns import told

Shape = dict[str, Any]


class OverviewApi:
    """Answers at `/api/overview`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def routes(self) -> tuple[Route, ...]:
        """Its address."""
        return (Route("/api/overview", self.overview, needs=Role.VIEWER),)

    async def overview(self, _request: Request) -> Response:
        """What runs, what needs attention, what is to come, and the last 24 hours."""
        view = await self._database.read(read_overview)
        return json_response({"data": {"overview": overview_shape(view)}})


def overview_shape(view: OverviewView) -> Shape:
    """What the API says of the installation."""
    return _numbers_shape(view.numbers) | {
        "longest_running": [_running_shape(each) for each in view.running],
        "coming": [_coming_shape(each) for each in view.coming],
        "hours": _hours_shape(view.hours),
        "hours_counted_at": _time(view.hours.counted_at),
    }


def _numbers_shape(numbers: Numbers) -> Shape:
    standing, last = numbers.standing, numbers.last_slot
    return {
        "at": _time(numbers.now),
        "running": numbers.running,
        "queued": numbers.queued,
        "trouble": numbers.trouble,
        "attention": [_concern_shape(each, numbers.now) for each in numbers.concerns],
        "runners": {status.value: count for status, count in numbers.runners.by_status.items()},
        "daemons": [
            *(_daemon_shape(each, alive=True) for each in standing.alive),
            *(_daemon_shape(each, alive=False) for each in standing.silent),
        ],
        "broker_connected": standing.broker_is_up,
        "last_slot": last and {"slot": last.slot.isoformat(), "late": last.late.total_seconds()},
        "next_slot": numbers.next_slot and numbers.next_slot.isoformat(),
    }


def _concern_shape(concern: Concern, now: datetime) -> Shape:
    said = told(concern, now)
    return {
        "kind": concern.kind,
        "count": concern.count,
        "since": _time(concern.since),
        "latest": _time(concern.latest),
        "title": said.title,
        "advice": said.text,
        "command": said.command,
        "subjects": [
            {
                "name": each.name,
                "job_id": each.job_id,
                "category": each.category,
                "since": _time(each.since),
                "count": each.count,
            }
            for each in concern.subjects
        ],
    }


def _daemon_shape(daemon: Daemon, *, alive: bool) -> Shape:
    return {
        "kind": daemon.kind,
        "name": daemon.name,
        "host": daemon.host,
        "version": daemon.version,
        "started_at": _time(daemon.started_at),
        "seen_at": _time(daemon.seen_at),
        "connected": daemon.connected,
        "alive": alive,
    }


def _running_shape(running: RunningRun) -> Shape:
    run, job, usual = running.run, running.job, running.usual
    return {
        "id": run.run_id,
        "job_id": run.job_id,
        "name": job and job.name,
        "category": job and job.category and job.category.name,
        "runner": run.runner,
        "started_at": _time(run.started_at),
        "elapsed": running.elapsed.total_seconds(),
        "usual_duration": usual and usual.median,
        "usual_limit": usual and usual.p95,
        "overdue": running.overdue,
    }


def _coming_shape(coming: ComingJob) -> Shape:
    job = coming.job
    return {
        "slot": coming.slot.isoformat(),
        "job_id": job.id,
        "name": job.name,
        "category": job.category and job.category.name,
        "usual_duration": coming.usual and coming.usual.median,
    }


def _hours_shape(hours: Hours) -> list[Shape]:
    return [
        {
            "hour": _time(hour),
            "runs": None if counts is None else {each.value: n for each, n in counts.items()},
        }
        for hour, counts in zip(hours.hours, hours.counts, strict=True)
    ]


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
