"""How full the coming hours are, worked out beside all else and kept for a while."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure

from cronq.database.gateway import Database, RunInThread
from cronq.database.reading.upcoming import Scheduled, ScheduledJobs, read_scheduled
from cronq.domain.errors import BadSchedule, CronqError
from cronq.domain.load import Block, Load, load_of
from cronq.domain.schedules import Schedule, fixed_interval, parse_schedule

#: So many schedules are looked at; of more, every second, third, … one, each of which stands for several.
MOST_SCHEDULES = 3_000
#: A forecast is good for so many times as long as it took to make: it never takes much of a processor.
GOOD_FOR = 30
#: Forecasts that are kept, the latest used.
MOST_KEPT = 32
_MINUTE = timedelta(minutes=1)

_log = Logger()


@dataclass(frozen=True, slots=True)
class Period:
    """How far somebody looks ahead, and in which steps."""

    hours: int
    step: timedelta

    @property
    def bins(self) -> int:
        """How many steps it has."""
        return timedelta(hours=self.hours) // self.step


DAY = Period(24, _MINUTE)
WEEK = Period(7 * 24, 10 * _MINUTE)


@dataclass(frozen=True, slots=True)
class Forecast:
    """How full it will be."""

    load: Load
    #: How many jobs there are that will run.
    jobs: int
    #: How many of their schedules were looked at, and how many there are.
    looked_at: int
    schedules: int


class Forecaster:
    """Gives forecasts. One that is too old is given once more while the next one is made."""

    def __init__(self, database: Database, run_in_thread: RunInThread, seconds: Callable[[], float]) -> None:
        self._database = database
        self._run_in_thread = run_in_thread
        self._seconds = seconds
        #: Each with the time since 1970 until which it is good.
        self._kept: OrderedDict[tuple[str, Period], tuple[float, Forecast]] = OrderedDict()
        self._one_at_a_time = DeferredLock()

    async def forecast(self, category: str, period: Period) -> Forecast:
        """What is to come of a category or (`""`) of all jobs."""
        key = category, period
        if key not in self._kept:
            return await self._renewed(key)
        good_until, forecast = self._kept[key]
        if good_until < self._seconds() and not self._one_at_a_time.locked:
            Deferred.fromCoroutine(self._renewed(key)).addErrback(self._failed)
        return forecast

    async def _renewed(self, key: tuple[str, Period]) -> Forecast:
        await self._one_at_a_time.acquire()
        try:
            # Whoever waited before may have waited for the same.
            if key not in self._kept or self._kept[key][0] < self._seconds():
                self._keep(key, *await self._make(*key))
            return self._kept[key][1]
        finally:
            self._one_at_a_time.release()

    async def _make(self, category: str, period: Period) -> tuple[float, Forecast]:
        began = self._seconds()
        found: Scheduled = await self._database.read(read_scheduled, category)
        forecast: Forecast = await self._run_in_thread(make_forecast, found, period)
        now = self._seconds()
        return now + GOOD_FOR * (now - began), forecast

    def _keep(self, key: tuple[str, Period], good_until: float, forecast: Forecast) -> None:
        self._kept[key] = good_until, forecast
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def _failed(self, failure: Failure) -> None:
        """The one that is kept is shown on; the next who asks makes another try."""
        if failure.check(CronqError):
            _log.warn("no new forecast: {error}", error=failure.getErrorMessage())
        else:
            _log.failure("no new forecast", failure)


def make_forecast(scheduled: Scheduled, period: Period) -> Forecast:
    """Lay all that is scheduled on the steps of a period, which begins with the minute that is now."""
    every = -(-len(scheduled.jobs) // MOST_SCHEDULES) or 1
    looked_at = scheduled.jobs[::every]
    total = sum(each.count for each in scheduled.jobs)
    weight = total / sum(each.count for each in looked_at) if looked_at else 1.0
    begin = scheduled.now.replace(second=0, microsecond=0)
    begin -= (begin - datetime.min) % period.step
    blocks = [block for each in looked_at if (block := _block(each, weight)) is not None]
    load = load_of(blocks, begin, period.step, period.bins)
    return Forecast(load, total, len(looked_at), len(scheduled.jobs))


def _block(jobs: ScheduledJobs, weight: float) -> Block | None:
    try:
        schedule = _schedule(jobs)
    except BadSchedule:
        return None  # the injector leaves such a job alone, and says so
    return Block(schedule, jobs.count * weight, jobs.median or 0.0, jobs.paused_until)


def _schedule(jobs: ScheduledJobs) -> Schedule:
    if jobs.text is not None:
        return parse_schedule(jobs.text)
    if jobs.interval is None:
        raise BadSchedule("there is none")
    return fixed_interval(jobs.next_run, jobs.interval)
