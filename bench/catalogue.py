"""All scenarios, in the order in which they are measured and shown."""

from bench.scenario import Scenario
from bench.scenarios import injector, results, runner

SCENARIOS: dict[str, Scenario] = {each.SCENARIO.name: each.SCENARIO for each in (injector, runner, results)}
