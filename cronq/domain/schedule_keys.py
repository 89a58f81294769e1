"""The keys of a job that say when it runs."""

from collections.abc import Mapping

from cronq.domain.document_parts import ByType, Key, ListOf, Parts
from cronq.domain.document_values import (
    CRON_FORMAT,
    DATES_FORMAT,
    INSTANT_FORMAT,
    JITTER_FORMAT,
    SCHEDULE_FORMAT,
    STEP_FORMAT,
    ZONE_FORMAT,
    Written,
)

MOST_SCHEDULES, MOST_EXCEPTIONS = 50, 500

_TEXT = Written("See the documentation of schedules.", SCHEDULE_FORMAT)
_BY_KIND = Parts(
    "The same, with a key for its kind.",
    {
        "every": Written("A duration, as in PT90S.", STEP_FORMAT),
        "at": Written("The only instant, as in 2030-01-01T06:30.", INSTANT_FORMAT),
        "cron": Written("A cron expression of five fields, as in 30 6 * * MON-FRI.", CRON_FORMAT),
    },
    exactly_one=True,
)
#: The kinds that have a key of their own.
KINDS = tuple(_BY_KIND.keys)
_KINDS = "an ISO 8601 repeating interval, a cron expression, `every` and a duration, or `at` and an instant"
_ONE = ByType(f"When it runs: {_KINDS}.", _TEXT, _BY_KIND)
_SEVERAL = ListOf("Several schedules.", _ONE, MOST_SCHEDULES, least=1)
_EXCEPTION = Written("A date, or two dates or times with a slash between them.", DATES_FORMAT)

WHEN = Key(ByType(f"When it runs: {_KINDS}; or a list of them.", _TEXT, _BY_KIND, _SEVERAL), required=True)

#: What a job may also have from the `defaults` of its document.
TIME_KEYS: Mapping[str, Key] = {
    "timezone": Key(Written("Its IANA time zone, as in Europe/Berlin.", ZONE_FORMAT), default="UTC"),
    "except": Key(ListOf("When it does not run.", _EXCEPTION, MOST_EXCEPTIONS)),
    "between": Key(
        Parts(
            "The first and the last day, or instant, at which it runs.",
            {"start": Written("The first.", INSTANT_FORMAT), "end": Written("The last.", INSTANT_FORMAT)},
        )
    ),
    "jitter": Key(Written("By how much a slot is put off at most, as in PT30S.", JITTER_FORMAT)),
}
