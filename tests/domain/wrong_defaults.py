"""A wrong value for each key of `defaults`, with the one sentence that is told of it by every way in."""

import json
from typing import Any

_FIRST = " (at character 1)"
#: By key: the value, and what is said of it after `defaults.`.
WRONG: dict[str, tuple[Any, str]] = {
    "routing_key": (7, "routing_key: expected a text, found 7"),
    "timezone": (
        "Berlin",
        "timezone: 'Berlin' is no time zone of the IANA database, did you mean Europe/Berlin?" + _FIRST,
    ),
    "except": (
        ["2026-02-30"],
        "except[0]: '2026-02-30' is not in the calendar: write a day that exists (at character 1)",
    ),
    "between": ({"from": "2026-01-01"}, 'between: there is no key "from", only start, end'),
    "jitter": ("P2D", "jitter: the longest jitter is a day, P1D (at character 1)"),
    "retries": (-1, "retries: expected a whole number from 0 to 100, found -1"),
    "retry_delay": (60, "retry_delay: expected a text such as PT5M, found 60"),
    "retry_backoff": (0.5, "retry_backoff: expected a number from 1 to 10, found 0.5"),
    "on_lost": ("retry", 'on_lost: expected "fail" or "rerun", found "retry"'),
    "overlap": ("forbid", 'overlap: expected "allow" or "skip" or "queue" or "replace", found "forbid"'),
    "max_running": (0, "max_running: expected a whole number from 1 to 1000000, found 0"),
    "enabled": ("no", 'enabled: expected true or false, found "no"'),
    "paused_until": (True, "paused_until: expected a text such as 2026-12-24T18:00:00Z, found true"),
    "pause_reason": (["late"], "pause_reason: expected a text, found a list"),
    "catch_up": ("some", 'catch_up: expected "one" or "none" or "all", found "some"'),
    "catch_up_limit": (1001, "catch_up_limit: expected a whole number from 1 to 1000, found 1001"),
    "deadline": ("PT0S", "deadline: the shortest duration is one second, PT1S (at character 1)"),
    "priority": (10, "priority: expected a whole number from 0 to 9, found 10"),
    "after_same": ("week", 'after_same: expected "slot" or "day", found "week"'),
    "timeout": (60, "timeout: expected a text such as PT90S, found 60"),
    "kill_grace": (None, "kill_grace: expected a text such as PT90S, found null"),
    "success_codes": ([0, 256], "success_codes[1]: expected a whole number from 0 to 255, found 256"),
    "output_limit": ("4k", 'output_limit: expected a whole number from 0 to 65536, found "4k"'),
    "environment": ({"A": 1}, "environment.A: expected a text, found 1"),
    "directory": ("srv", 'directory: expected an absolute path such as /srv/reports, found "srv"'),
    "user": ("a b", 'user: expected a user such as backup, or user:group, found "a b"'),
    "shell": ("bash", 'shell: expected an absolute path such as /bin/bash, found "bash"'),
    "umask": ("u=rwx,g=rx", 'umask: expected an octal mask such as 027, found "u=rwx,g=rx"'),
    "description": ({}, "description: expected a text, found an object"),
    "owner": ("x" * 256, "owner: has 256 characters, at most 255 are allowed"),
    "runbook": (1, "runbook: expected a text, found 1"),
    "tags": ([""], "tags[0]: must not be empty"),
}
#: All of them in one document, each in a line of its own, from the second on; its jobs are without fault.
_LINES = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, (value, _) in WRONG.items())
_JOBS = json.dumps([{"name": name, "schedule": "@daily", "command": "true"} for name in ("a", "b")])
WRONG_DOCUMENT = f'{{"category": "example", "defaults": {{\n{_LINES}}},\n"jobs": {_JOBS}}}'
SENTENCES = [f"defaults.{sentence}" for _, sentence in WRONG.values()]
#: The same with their lines, as tools tell them after the name of the file.
WITH_LINES = [f"{number}: {sentence}" for number, sentence in enumerate(SENTENCES, start=2)]
