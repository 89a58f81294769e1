"""What `priority` does on a real broker, where more is due than a runner can start."""

from functools import partial

from twisted.trial.unittest import SkipTest

from cronq.broker.interface import JOBS
from tests.integration.installation import InstallationCase, job
from tests.servers import rabbitmq

#: As the operations page has it.
CLASSIC = {"x-queue-type": "classic", "x-max-priority": 9}
LOW, HIGH = ("low 1", "low 2", "low 3"), "high"


class PriorityTests(InstallationCase):
    """A runner that runs one command at a time is busy, and while it is so, four more runs come."""

    def order(self) -> list[str]:
        """The order in which the runs start that wait, the one that came last with the highest priority."""
        self.start_all(CRONQ_CONCURRENCY="1")
        note = 'echo "$CRONQ_JOB_NAME" >> "$EVIDENCE/order"'
        hold = 'until test -e "$EVIDENCE/go"; do sleep 0.05; done'
        self.put(job("hold", hold), *(job(name, note) for name in LOW), job(HIGH, note, priority=9))
        self.run_by_hand("hold")
        self.until(lambda: self.statuses("hold") == ["running"])
        for name in (*LOW, HIGH):
            self.run_by_hand(name)
            self.until(partial(self.is_published, name))
        # The runner has handed back what it cannot start, and asks for no more.
        self.until(lambda: self.waiting(JOBS) == len(LOW) + 1)
        (self.evidence / "go").touch()
        self.until_over()
        return self.recorded("order")

    def is_published(self, name: str) -> bool:
        """Whether the broker has confirmed a run of this job."""
        mine = "SELECT 1 FROM runs JOIN jobs ON jobs.id = job_id WHERE name = %s AND published_at IS NOT NULL"
        return bool(self.sql(mine, name))

    def test_classic_queue_with_priorities(self) -> None:
        """A queue that the operator has declared so gives out what is urgent before what waited longer."""
        with self.channel() as channel:
            channel.queue_declare(JOBS, durable=True, arguments=CLASSIC)
        self.assertEqual(self.order(), [HIGH, *LOW])
        self.assertIn("queue cronq_jobs is used as it is: ", self.output)

    def test_queue_that_cronq_declares(self) -> None:
        """A quorum queue of RabbitMQ 3 knows no priorities: there it goes by the time of publishing."""
        if not rabbitmq().version.startswith("3."):
            raise SkipTest("quorum queues know priorities from RabbitMQ 4 on")
        self.assertEqual(self.order(), [*LOW, HIGH])
