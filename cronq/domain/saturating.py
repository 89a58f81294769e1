"""Arithmetic of moments that stays within the years 1 to 9999, whatever a document or a person asks for."""

from datetime import datetime, timedelta


def shifted(moment: datetime, span: timedelta) -> datetime:
    """The moment so much later, or earlier when `span` is negative, but no further than the end of time."""
    try:
        return moment + span
    except OverflowError:
        return datetime.max if span > timedelta(0) else datetime.min


def just_before(moment: datetime) -> datetime:
    """The latest moment that is earlier; the very first moment has none and stays what it is."""
    return shifted(moment, -datetime.resolution)
