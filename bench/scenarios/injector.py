"""Many jobs due at the same instant: how fast they are claimed, recorded, published, confirmed and noted."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from bench.broker import purge_jobs
from bench.figures import Sheet, Target, Who
from bench.installation import Installation, seconds_between, soon, wait_until
from bench.jobs import add_jobs, make_due
from bench.limits import claiming
from bench.scenario import Measure, Scenario, Size
from bench.use import note_costs
from cronq.domain.rules import DEFAULT_RULES, CatchUp, Overlap, Rules


class Ground:
    """An installation with so many jobs, of which others are due at each turn."""

    def __init__(self, stack: ExitStack, jobs: int) -> None:
        self.jobs = jobs
        self.installation = stack.enter_context(Installation())
        self.installation.make_tables()
        add_jobs(self.installation, jobs)
        claiming.prepare(self.installation, jobs)
        self._turn = 0

    def limit(self, due: int) -> float:
        """Jobs per second of the bare claim loop."""
        return claiming.claims_per_second(self.installation, min(due, self.jobs), self.jobs, self._turn)

    def rate(
        self, due: int, injectors: int, sheet: Sheet | None = None, rules: Rules = DEFAULT_RULES
    ) -> float:
        """Jobs per second from the instant at which they are due until all are published and noted so.

        With a sheet, what each process has taken for that is noted there.
        """
        installation = self.installation
        due = min(due, self.jobs)
        known = int(installation.value("SELECT COALESCE(MAX(id), 0) FROM runs"))
        labels = installation.start_injectors(injectors)
        slot = soon()
        make_due(installation, slot, due, self.jobs, self._turn, rules)
        self._turn += 1
        before = installation.uses()
        published = f"SELECT COUNT(published_at) FROM runs WHERE id > {known}"
        wait_until(lambda: installation.value(published) == due, 0.25)
        if sheet is not None:
            note_costs(sheet, before, installation.uses(), due)
        ended = installation.value(f"SELECT MAX(published_at) FROM runs WHERE id > {known}")
        installation.stop(*labels)
        purge_jobs(installation.broker_url)
        # As if a runner had run them; else they would be published again.
        installation.sql("UPDATE runs SET status = 'succeeded', publish_after = NULL WHERE id > %s", known)
        return due / seconds_between(slot, ended)


#: Of each kind one that is decided at the claim, where there is one, and what a job may say besides.
RULES = Rules(
    overlap=Overlap.SKIP,
    retries=3,
    catch_up=CatchUp.ALL,
    deadline=timedelta(hours=1),
    priority=5,
    timeout=timedelta(hours=2),
    kill_grace=timedelta(seconds=30),
    environment={"LANG": "C.UTF-8", "BASE": "shop"},
    success_codes=(0, 24),
    description="Writes and mails the invoices of the day.",
    owner="billing@example.com",
)


def limit_name(jobs: int) -> str:
    """The figure of the limit."""
    return f"bare claim loop, {jobs:,} jobs"


def rate_name(injectors: int, jobs: int) -> str:
    """The figure of cronq."""
    return f"{injectors} injector{'s' * (injectors > 1)}, {jobs:,} jobs"


def ruled_name(jobs: int) -> str:
    """The figure of jobs that have many rules."""
    return f"{rate_name(1, jobs)} with rules"


@contextmanager
def prepare(size: Size) -> Iterator[Measure]:
    """An installation for each number of jobs."""
    due = size(10_000, 1000)
    with ExitStack() as stack:
        grounds = [Ground(stack, jobs) for jobs in (size(HUNDRED, 2000), size(MILLION, 4000))]

        def measure(sheet: Sheet) -> None:
            for ground in grounds:
                sheet.add(limit_name(ground.jobs), ground.limit(due), "jobs/s", Who.LIMIT)
                for injectors in (1,) if size.quick else (1, 2, 4):
                    costs = sheet if injectors == 1 and ground is grounds[0] else None
                    sheet.add(rate_name(injectors, ground.jobs), ground.rate(due, injectors, costs), "jobs/s")
            sheet.add(ruled_name(grounds[0].jobs), grounds[0].rate(due, 1, rules=RULES), "jobs/s")

        yield measure


HUNDRED, MILLION = 100_000, 1_000_000

SCENARIO = Scenario(
    "injector",
    "10,000 jobs are due at the same instant, among 100,000 and among 1,000,000. The rate counts from"
    " that instant until the last one is recorded, published, confirmed and noted as published. The limit"
    " is a loop in which PyMySQL does nothing but lock 500 due rows, move them on, insert 500 rows and"
    " commit. With rules, each of the jobs has eleven of them, overlap and deadline among them.",
    prepare,
    (
        Target("at least 40 % of the claim loop", rate_name(1, HUNDRED), limit_name(HUNDRED), at_least=0.4),
        Target("the same among a million", rate_name(1, MILLION), limit_name(MILLION), at_least=0.4),
        Target(
            "a million jobs make no difference (± 10 %)",
            rate_name(1, MILLION),
            rate_name(1, HUNDRED),
            at_least=0.9,
            at_most=1.1,
        ),
        Target("rules cost at most a third", ruled_name(HUNDRED), rate_name(1, HUNDRED), at_least=0.67),
    ),
)
