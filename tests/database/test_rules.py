"""Rules on SQLite."""

from tests.database import backfilling, following, jittering, lateness, pausing, ruling
from tests.database.store import OnSQLite


class OverlapTests(OnSQLite, ruling.OverlapTests):
    """Runs that would overlap."""


class DeadlineTests(OnSQLite, lateness.DeadlineTests):
    """A job with a slot each minute, and a deadline of two."""


class FollowingDeadlineTests(OnSQLite, lateness.FollowingDeadlineTests):
    """A job that runs after another one, and no later than two minutes after that."""


class AttemptTests(OnSQLite, ruling.AttemptTests):
    """Attempts after the first."""


class PauseTests(OnSQLite, pausing.PauseTests):
    """Slots that people, or documents, want skipped."""


class CatchUpTests(OnSQLite, pausing.CatchUpTests):
    """Slots for which no injector was there."""


class PriorityTests(OnSQLite, following.PriorityTests):
    """What comes first when more is due than fits."""


class AfterTests(OnSQLite, following.AfterTests):
    """Jobs that run after others."""


class JitterAfterTests(OnSQLite, jittering.AfterTests):
    """Jobs that run after others whose slots are put off."""


class JitterChangeTests(OnSQLite, jittering.ChangeTests):
    """Changes of jobs whose slots are put off."""


class BackfillTests(OnSQLite, backfilling.BackfillTests):
    """Slots of the past that somebody wants to be run."""
