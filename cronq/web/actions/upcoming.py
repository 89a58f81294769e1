"""What is to come, as pages and programs ask for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cronq.database.gateway import Database
from cronq.database.reading.records import JobRecord
from cronq.database.reading.upcoming import Coming, read_coming
from cronq.domain.document_values import shown
from cronq.domain.lanes import Bar, Course, lane_of, next_slots
from cronq.domain.usual import UsualDuration
from cronq.web.actions.forecasting import DAY, WEEK, Forecast, Forecaster, Period
from cronq.web.http.errors import BadRequest, NotFound
from cronq.web.http.exchange import Request

#: Jobs that have a lane; of these are the slots in the list.
MOST_LANES = 30
MOST_SLOTS = 30
#: A bar is not shorter than this part of the period.
_LEAST = 125

_PERIODS = {"24": DAY, "168": WEEK}


@dataclass(frozen=True, slots=True)
class Lane:
    """A job and when it runs."""

    job: JobRecord
    usual: UsualDuration | None
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class ComingRun:
    """A slot that is to come."""

    slot: datetime
    job: JobRecord
    usual: UsualDuration | None


@dataclass(frozen=True, slots=True)
class Upcoming:
    """What is to come."""

    now: datetime
    period: Period
    category: str
    categories: tuple[str, ...]
    forecast: Forecast
    lanes: tuple[Lane, ...]
    slots: tuple[ComingRun, ...]
    #: Whether there are more jobs than there are lanes.
    more: bool

    @property
    def end(self) -> datetime:
        """Where the period ends."""
        return self.forecast.load.end


async def upcoming(database: Database, forecaster: Forecaster, request: Request) -> Upcoming:
    """What the fields `hours` and `category` ask for; raises `BadRequest` and `NotFound`."""
    hours = request.fields.get("hours", "") or "24"
    if hours not in _PERIODS:
        raise BadRequest("hours: expected 24 or 168")
    category = request.fields.get("category", "")
    forecast = await forecaster.forecast(category, _PERIODS[hours])
    coming: Coming = await database.read(read_coming, category, MOST_LANES)
    if category and category not in coming.categories:
        raise NotFound(f"There is no category {shown(category)}.")
    return _view(coming, category, _PERIODS[hours], forecast)


def _view(coming: Coming, category: str, period: Period, forecast: Forecast) -> Upcoming:
    jobs = {job.id: job for job in coming.jobs}
    courses = {job.id: _course(job, coming.now) for job in coming.jobs if job.next_run is not None}
    # Behind the slot at which a job is due that was not read, others may come first.
    until = min(forecast.load.end, coming.beyond or datetime.max)
    least = period.step * period.bins / _LEAST
    slots = next_slots(courses, until, MOST_SLOTS)
    return Upcoming(
        coming.now,
        period,
        category,
        coming.categories,
        forecast,
        tuple(
            Lane(jobs[key], usual, tuple(lane_of(course, forecast.load.end, _took(usual), least)))
            for key, course in courses.items()
            for usual in [coming.usual.get(key)]
        ),
        tuple(ComingRun(slot, jobs[key], coming.usual.get(key)) for slot, key in slots),
        coming.beyond is not None,
    )


def _course(job: JobRecord, now: datetime) -> Course:
    assert job.next_run is not None, "those that have none are not read"
    pause = job.pause(now)
    return Course(job.schedule(), job.next_run, None if pause is None else pause.end)


def _took(usual: UsualDuration | None) -> timedelta:
    return timedelta(seconds=0 if usual is None else usual.median)
