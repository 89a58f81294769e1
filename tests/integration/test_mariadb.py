"""The database room on a real MariaDB: the tests that SQLite passes, and what only a server can do."""

import functools

from sqlalchemy import Engine

from cronq.database import schema
from cronq.database.gateway import make_engine
from tests.database import (
    accessing,
    auditing,
    backfilling,
    claiming,
    counting,
    finding,
    following,
    gauging,
    granting,
    hearing,
    jittering,
    lateness,
    listing,
    losing,
    ordering,
    pausing,
    publishing,
    racing,
    recording,
    replacing,
    ruling,
    searching,
    standing,
    viewing,
)
from tests.database.store import StoreCase, clear
from tests.servers import mariadb


@functools.cache
def shared_engine() -> Engine:
    """An engine for the database that the tests use one after the other; it has tables."""
    engine = make_engine(mariadb().new_database())
    with engine.connect() as connection, connection.begin():
        schema.upgrade(connection)
    return engine


class OnMariaDB(StoreCase):
    """In a database that is empty again for each test."""

    def open(self) -> Engine:
        engine = shared_engine()
        with engine.connect() as connection, connection.begin():
            clear(connection)
        return engine


class ClaimTests(OnMariaDB, claiming.ClaimTests):
    """Slots that are due."""


class WrongClockTests(OnMariaDB, claiming.WrongClockTests):
    """Clocks that jump."""


class RunNowTests(OnMariaDB, claiming.RunNowTests):
    """Runs by hand."""


class InheritedJobTests(OnMariaDB, claiming.InheritedJobTests):
    """Jobs as 0.27 stored them."""


class EditedRowTests(OnMariaDB, claiming.EditedRowTests):
    """Rows that a person has changed."""


class OneBadJobTests(OnMariaDB, claiming.OneBadJobTests):
    """A job that makes trouble."""


class OutboxTests(OnMariaDB, publishing.OutboxTests):
    """Runs that are published, confirmed, and published again."""


class ReplaceTests(OnMariaDB, replacing.ReplaceTests):
    """A document and then another one."""


class InheritedCategoryTests(OnMariaDB, replacing.InheritedCategoryTests):
    """A category that 0.27 stored, and the first document after the upgrade."""


class ReportTests(OnMariaDB, recording.ReportTests):
    """A run from its start to its end."""


class GrantTests(OnMariaDB, recording.GrantTests):
    """Who may start a run."""


class TakingBackTests(OnMariaDB, granting.TakingBackTests):
    """A run whose start was granted to one who is gone."""


class KilledTests(OnMariaDB, recording.KilledTests):
    """A run that somebody wants killed."""


class StrangerTests(OnMariaDB, recording.StrangerTests):
    """Runs that this version's injector did not make, and values that no one expects."""


class ClaimRaceTests(OnMariaDB, racing.ClaimRaceTests):
    """Injectors at the same jobs."""


class ReplaceRaceTests(OnMariaDB, racing.ReplaceRaceTests):
    """Categories that are replaced while all else goes on."""


class RecordRaceTests(OnMariaDB, racing.RecordRaceTests):
    """Results daemons at the same runs."""


class LedgerTests(OnMariaDB, auditing.LedgerTests):
    """What injectors and the web have written."""


class TamperedTests(OnMariaDB, auditing.TamperedTests):
    """A ledger that is not in order."""


class AuditedPeriodTests(OnMariaDB, auditing.PeriodTests):
    """Only a part of it."""


class UnclaimedTests(OnMariaDB, auditing.UnclaimedTests):
    """Slots that no injector has claimed."""


class MeanwhileTests(OnMariaDB, auditing.MeanwhileTests):
    """While an audit is under way, all goes on."""


class AuditRaceTests(OnMariaDB, auditing.RaceTests):
    """An audit beside an injector and somebody who replaces the category."""


class OverlapTests(OnMariaDB, ruling.OverlapTests):
    """Runs that would overlap."""


class DeadlineTests(OnMariaDB, lateness.DeadlineTests):
    """A job with a slot each minute, and a deadline of two."""


class FollowingDeadlineTests(OnMariaDB, lateness.FollowingDeadlineTests):
    """A job that runs after another one, and no later than two minutes after that."""


class AttemptTests(OnMariaDB, ruling.AttemptTests):
    """Attempts after the first."""


class PauseTests(OnMariaDB, pausing.PauseTests):
    """Slots that people, or documents, want skipped."""


class CatchUpTests(OnMariaDB, pausing.CatchUpTests):
    """Slots for which no injector was there."""


class UserTests(OnMariaDB, accessing.UserTests):
    """Those who may log in."""


class SessionTests(OnMariaDB, accessing.SessionTests):
    """Who is logged in."""


class TokenTests(OnMariaDB, accessing.TokenTests):
    """By which programs show who they are."""


class ChangeTests(OnMariaDB, accessing.ChangeTests):
    """What people change."""


class HeartbeatTests(OnMariaDB, hearing.HeartbeatTests):
    """Who has been heard."""


class ReturnTests(OnMariaDB, hearing.ReturnTests):
    """A runner that was given up, and is heard again."""


class ForgettingTests(OnMariaDB, hearing.ForgettingTests):
    """Rows of runners that are gone."""


class LossTests(OnMariaDB, losing.LossTests):
    """A run that was granted to a runner."""


class RerunTests(OnMariaDB, losing.RerunTests):
    """A run whose job asks for another attempt."""


class DrainTests(OnMariaDB, ordering.DrainTests):
    """The order to drain."""


class KillTests(OnMariaDB, ordering.KillTests):
    """The order to end the command of a run."""


class PriorityTests(OnMariaDB, following.PriorityTests):
    """What comes first when more is due than fits."""


class AfterTests(OnMariaDB, following.AfterTests):
    """Jobs that run after others."""


class JitterAfterTests(OnMariaDB, jittering.AfterTests):
    """Jobs that run after others whose slots are put off."""


class JitterChangeTests(OnMariaDB, jittering.ChangeTests):
    """Changes of jobs whose slots are put off."""


class BackfillTests(OnMariaDB, backfilling.BackfillTests):
    """Slots of the past that somebody wants to be run."""


class ViewingTests(OnMariaDB, viewing.ViewingTests):
    """Who looks at the output of which run."""


class UsualTests(OnMariaDB, gauging.UsualTests):
    """How long jobs usually take."""


class DaysTests(OnMariaDB, counting.DaysTests):
    """What a page reads of the days of a job."""


class ChangingTests(OnMariaDB, counting.ChangingTests):
    """Runs that become something else after somebody has counted."""


class SeveralSlotsTests(OnMariaDB, counting.SeveralSlotsTests):
    """Days with rows that stand for several slots."""


class ForgottenDaysTests(OnMariaDB, counting.ForgettingTests):
    """Old days, and runs that were pruned."""


class RunPagingTests(OnMariaDB, searching.PagingTests):
    """All runs of a job."""


class RunsOfAStatusTests(OnMariaDB, searching.StatusTests):
    """Those of a status."""


class RunsByHandTests(OnMariaDB, searching.ByHandTests):
    """Those by hand."""


class RunsOfADayTests(OnMariaDB, searching.DayTests):
    """Those of a day."""


class PageTests(OnMariaDB, listing.PageTests):
    """Pages of jobs: orders and searches."""


class BoundTests(OnMariaDB, listing.BoundTests):
    """What is looked at for one page."""


class FacetTests(OnMariaDB, listing.FacetTests):
    """What documents say of jobs."""


class ListTests(OnMariaDB, listing.ListTests):
    """What the list says of each job."""


class FindingTests(OnMariaDB, finding.SearchTests):
    """Runs by job, status and time."""


class AttendanceTests(OnMariaDB, standing.AttendanceTests):
    """Daemons that leave signs."""


class HourTests(OnMariaDB, standing.HourTests):
    """Runs of the last hours."""


class LastSlotTests(OnMariaDB, standing.LastSlotTests):
    """How late the last slot was."""


class ExpectedTests(OnMariaDB, replacing.ExpectedTests):
    """A category that is replaced only as long as it is what somebody thinks it is."""


class LatestChangeTests(OnMariaDB, replacing.LatestChangeTests):
    """By which change a category is what it is."""
