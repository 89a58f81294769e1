"""What the author of a schedule may not have meant, and what the clocks will do to it."""

from calendar import month_name, monthrange
from collections.abc import Iterator
from datetime import datetime, timedelta

from cronq.domain.schedules.cron import Cron
from cronq.domain.schedules.cron_text import FIELDS, CronText
from cronq.domain.schedules.interface import Schedule
from cronq.domain.schedules.intervals import RepeatingInterval
from cronq.domain.schedules.specification import Specification
from cronq.domain.schedules.text import parse_text
from cronq.domain.zones import Change, changes_between

_LEAP_YEAR = 2024
_ONE_DAY = timedelta(days=1)
_SHORTEST_MONTH = 28  # days


def slips(specification: Specification) -> Iterator[tuple[int, str]]:
    """What is accepted, but surely not meant: the index of the schedule, and a sentence."""
    for index, cron in _crons(specification):
        yield from ((index, sentence) for sentence in _slips_of_cron(cron.text))


def warnings_of(specification: Specification, now: datetime) -> list[str]:
    """What the author should look at twice; all slips are among it."""
    found = [sentence for _, sentence in slips(specification)]
    if any(cron.text.fields == ("*",) * len(FIELDS) for _, cron in _crons(specification)):
        found.append("this runs every minute, 1,440 times a day; for once a day write when, as in 30 4 * * *")
    if specification.build().first_after(now) is None:
        found.append("there are no more slots: all of them have passed, or are left out")
    return found


def notes_of(specification: Specification, now: datetime, until: datetime) -> list[str]:
    """What is worth knowing: days that some months lack, and what the clocks do until a moment."""
    found = [sentence for _, cron in _crons(specification) for sentence in _notes_of_cron(cron.text)]
    zone = specification.zone()
    members = [parse_text(text, zone, specification.seed) for text in specification.schedules]
    if zone is not None and any(map(_follows_clocks, members)):
        changes = changes_between(zone, now, until)
        found.extend(_note_of_change(change, str(zone), members) for change in changes)
    return found


def _crons(specification: Specification) -> Iterator[tuple[int, Cron]]:
    zone = specification.zone()
    for index, text in enumerate(specification.schedules):
        schedule = parse_text(text, zone, specification.seed)
        if isinstance(schedule, Cron):
            yield index, schedule


def _slips_of_cron(text: CronText) -> Iterator[str]:
    minute, hour, day, month, weekday = text.fields
    if minute == "*" and (hour, day, month, weekday) != ("*",) * 4:
        runs = len(text.seconds_of_day())
        yield (
            f"this runs every minute, {runs:,} times on each of its days; for once write a minute,"
            f" as in 0 {hour} {day} {month} {weekday}"
        )
    if not any(field.startswith("*") for field in (day, weekday)):
        yield (
            f"this runs on days {day} and on every {weekday} as well: where both fields for days are"
            " given, cron takes a day that either of them names"
        )
    yield from _missing_days(text)
    for name, size, step in _steps(text):
        if step >= size:
            yield f"a step of {step} {name}s is longer than all {size} of them, so this is {name} 0 only"


def _missing_days(text: CronText) -> Iterator[str]:
    """Days that are asked for by name in a month that never has them."""
    sim = text.sim()
    days = [day for day in sim.days if day > 0]
    if text.fields[2].startswith("*") or text.fields[3].startswith("*") or not days:
        return
    for month in sorted(sim.months):
        length = monthrange(_LEAP_YEAR, month)[1]
        if min(days) > length:
            yield f"{month_name[month]} never has a day {min(days)}"


def _steps(text: CronText) -> Iterator[tuple[str, int, int]]:
    """The steps after a star: the name of the field, how many minutes or hours there are, and the step."""
    for kind, field in zip(FIELDS[:2], text.fields[:2], strict=True):
        star, _, step = field.partition("/")
        if star == "*" and step:
            yield kind.name, kind.highest + 1, int(step)


def _notes_of_cron(text: CronText) -> Iterator[str]:
    for name, size, step in _steps(text):
        if rest := size % step if step < size else 0:
            yield (
                f"the steps of {step} {name}s begin anew after {size} of them, so the last one is of {rest};"
                f" for even steps write every PT{step}{name[0].upper()}"
            )
    days, months = text.sim().days, text.fields[3]
    if text.fields[2].startswith("*") or min(days) <= _SHORTEST_MONTH:
        return
    if text.sim().months == {2}:
        yield "29 February is in leap years only"
    elif months == "*":
        yield f"months without day {min(days)} are left out; L is the last day of each"


def _follows_clocks(schedule: Schedule) -> bool:
    return isinstance(schedule, Cron) or (
        isinstance(schedule, RepeatingInterval) and schedule.zone is not None
    )


def _note_of_change(change: Change, zone: str, members: list[Schedule]) -> str:
    forward = change.after > change.before
    begin, end = change.wall_before, change.wall_after
    to = f"{end:%H:%M}" if begin.date() == end.date() else f"{end:%Y-%m-%d %H:%M}"
    told = f"{begin:%Y-%m-%d %H:%M}: the clocks of {zone} go {'forward' if forward else 'back'} to {to}"
    if change.after - change.before >= _ONE_DAY:
        runs = "the day between has no slots"
    elif any(isinstance(each, Cron) and each.text.goes_with_the_clocks for each in members):
        runs = (
            "what is for the time between is left out"
            if forward
            else "what is for the time between runs twice"
        )
    elif forward:
        runs = f"what is for the time between runs right after it, at {to}"
    else:
        runs = "what is for the time between runs once, the first time"
    return f"{told}; {runs}"
