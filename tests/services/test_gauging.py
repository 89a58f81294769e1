"""How long jobs usually take, as results daemons keep it up while jobs run."""

from cronq.database.reading.usual import usual_durations
from cronq.domain.usual import UsualDuration
from tests.services.cases import WorldTestCase, each_minute

HOUR = 3600.0


class GaugingTests(WorldTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.results = [self.world.start_results(f"results.{number}") for number in (1, 2)]
        self.world.start_injector()
        self.world.start_runner()
        self.world.put(each_minute(command="5 s"))

    def usual(self) -> UsualDuration | None:
        return self.world.do(usual_durations, [1]).get(1)

    def test_kept_up(self) -> None:
        """A minute after a run the figures have it in them, though two daemons have the same duty."""
        self.assertIsNone(self.usual())
        self.world.run_for(4 * 60 + 2)
        self.assertEqual(self.usual(), UsualDuration(3, 5.0, 5.0))

    def test_one_left(self) -> None:
        """When one of them is killed the other one goes on."""
        self.world.run_for(70)
        self.results[0].kill()
        self.world.run_for(HOUR)
        self.assertEqual(self.usual(), UsualDuration(30, 5.0, 5.0))

    def test_database_away(self) -> None:
        """What ran before an outage of the database is caught up on after it."""
        self.world.run_for(70)
        self.world.database_down()
        self.world.run_for(HOUR)
        self.world.database_up()
        self.world.run_for(3 * 60)
        self.assertGreater(getattr(self.usual(), "runs", 0), 1)
