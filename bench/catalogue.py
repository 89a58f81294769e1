"""All scenarios, in the order in which they are measured and shown."""

from bench.scenario import Scenario
from bench.scenarios import idle, injector, lateness, results, runner, whole

SCENARIOS: dict[str, Scenario] = {
    each.SCENARIO.name: each.SCENARIO for each in (injector, runner, results, whole, lateness, idle)
}
