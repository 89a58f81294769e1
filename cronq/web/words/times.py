"""Times and lengths of time in the words of a person."""

from datetime import datetime, timedelta

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_ROUGH = ((365 * _DAY, "year"), (30 * _DAY, "month"), (_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"))
_FINE = ((_DAY, "d", _HOUR, "h"), (_HOUR, "h", _MINUTE, "min"), (_MINUTE, "min", 1, "s"))
#: Of a shorter time, tenths of a second matter.
_SHORT = 10  # seconds
#: Of less than that no one can tell how far two clocks differ and how long the message took.
_IN_STEP = 1.0  # seconds


def exact(moment: datetime) -> str:
    """A time to the second: `2026-11-23 07:05:20 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def wall(moment: datetime) -> str:
    """What clocks somewhere show: `Mon 2026-11-23 08:05:20`."""
    return f"{moment:%a %Y-%m-%d %H:%M:%S}"


def relative(moment: datetime, now: datetime) -> str:
    """A time as seen from now: `in 20 s`, `3 minutes ago`. (The script in the pages uses the same words.)"""
    seconds = int((moment - now).total_seconds())
    if seconds == 0:
        return "now"
    return f"in {_rough(seconds)}" if seconds > 0 else f"{_rough(-seconds)} ago"


def rough(span: timedelta) -> str:
    """A length of time in one unit: `20 s`, `3 minutes`."""
    return _rough(int(abs(span.total_seconds())))


def duration(span: timedelta) -> str:
    """A length of time in at most two units: `340 ms`, `2.4 s`, `3 min 20 s`, `2 h 5 min`."""
    sign = "\N{MINUS SIGN}" if span < timedelta(0) else ""
    seconds = abs(span.total_seconds())
    if seconds < 1:
        return f"{sign}{seconds * 1000:.0f} ms"
    if seconds < _SHORT:
        return f"{sign}{seconds:.1f} s".replace(".0 s", " s")
    return sign + _fine(round(seconds))


def seconds(count: float) -> str:
    """The same of a number of seconds."""
    return duration(timedelta(seconds=count))


def gap(span: timedelta) -> str:
    """A length of time from one thing to the next, with its sign: `+340 ms`."""
    return duration(span) if span < timedelta(0) else f"+{duration(span)}"


def clock_in_words(seconds: float) -> str:
    """How a runner's clock differs from the database's: `in step`, `12 s ahead`."""
    if abs(seconds) < _IN_STEP:
        return "in step"
    return f"{_rough(int(abs(seconds)))} {'ahead' if seconds > 0 else 'behind'}"


def _rough(seconds: int) -> str:
    for size, unit in _ROUGH:
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}" + ("s" if count > 1 else "")
    return f"{seconds} s"


def _fine(seconds: int) -> str:
    for size, unit, part, part_unit in _FINE:
        if seconds >= size:
            rest = seconds % size // part
            return f"{seconds // size} {unit}" + (f" {rest} {part_unit}" if rest else "")
    return f"{seconds} s"
