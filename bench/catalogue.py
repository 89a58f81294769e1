"""All scenarios, in the order in which they are measured and shown."""

from bench.scenario import Scenario
from bench.scenarios import (
    embedded,
    growth,
    idle,
    injector,
    lateness,
    memory,
    output,
    pages,
    pruning,
    put,
    results,
    runner,
    start,
    whole,
)

_ALL = (
    injector, runner, results, whole, lateness, idle, memory, output, put, pages, pruning, start, embedded,
    growth,
)  # fmt: skip

SCENARIOS: dict[str, Scenario] = {each.SCENARIO.name: each.SCENARIO for each in _ALL}
