"""How long cronq takes to find the next slot, and to close the books after a year without an injector.

    .venv/bin/python bench/schedules.py [COUNT]

COUNT next slots of each kind, from moments all over the years 1990 to 2040; a million unless it is given.
"""

import json
import platform
import random
import sys
import time
from datetime import datetime, timedelta

from cronq.domain.schedules import parse_schedule
from cronq.domain.settlement import settle

FIRST, SPAN = datetime(1990, 1, 1), timedelta(days=50 * 365)
YEAR = timedelta(days=365)
KINDS = {
    "interval, exact": {"schedule": "R/1990-01-01T00:00:00Z/PT15M"},
    "interval, each month in a zone": {"schedule": "R/1990-01-31T02:30:00/P1M", "timezone": "Europe/Berlin"},
    "cron, each minute": {"schedule": "* * * * *"},
    "cron, working hours in a zone": {"schedule": "*/5 8-18 * * MON-FRI", "timezone": "Europe/Berlin"},
    "cron, daily in a zone": {"schedule": "30 2 * * *", "timezone": "America/New_York"},
    "cron, 29 February": {"schedule": "0 12 29 2 *"},
    "three of them, exceptions, jitter": {
        "schedule": ["30 2 * * *", "0 12 * * SAT", "every PT8H"],
        "timezone": "Europe/Berlin",
        "except": ["2026-12-24/2027-01-01", "2027-12-24/2028-01-01"],
        "jitter": "PT30S",
    },
}
OUTAGES = {
    "* * * * *": {"schedule": "* * * * *"},
    "* * * * * in a zone, with jitter": {
        "schedule": "* * * * *",
        "timezone": "Europe/Berlin",
        "jitter": "PT30S",
    },
    "every PT1S": {"schedule": "every PT1S"},
    "every PT1S and every PT7S and * * * * *": {"schedule": ["every PT1S", "every PT7S", "* * * * *"]},
    "two dense cron expressions": {
        "schedule": ["*/2 * * * *", "*/3 8-18 * * *"],
        "timezone": "Europe/Berlin",
    },
    "ten dense cron expressions": {"schedule": [f"{n}-59/2 * * * *" for n in range(10)]},
}


def main(count: int) -> None:
    print(f"Python {platform.python_version()}, {count:,} next slots of each kind")
    chance = random.Random(1)
    moments = [FIRST + chance.random() * SPAN for _ in range(count)]
    for name, keys in KINDS.items():
        schedule = parse_schedule(json.dumps(keys))
        begin = time.process_time()
        for moment in moments:
            schedule.first_after(moment)
        spent = time.process_time() - begin
        print(f"{spent:7.2f} s  {spent / count * 1e6:6.2f} µs each  {name}")
    print("settling what a year without an injector has left")
    for name, keys in OUTAGES.items():
        schedule = parse_schedule(json.dumps(keys))
        begin = time.process_time()
        settled = settle(schedule, datetime(2026, 1, 1), datetime(2026, 1, 1) + YEAR)
        spent = time.process_time() - begin
        missed = sum(passed.count for passed in settled.passed)
        print(f"{spent * 1e3:7.1f} ms  {missed:>10,} missed  {name}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
