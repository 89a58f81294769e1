"""Audits on SQLite."""

from tests.database import auditing
from tests.database.store import OnSQLite


class LedgerTests(OnSQLite, auditing.LedgerTests):
    """What injectors and the web have written."""


class TamperedTests(OnSQLite, auditing.TamperedTests):
    """A ledger that is not in order."""


class PeriodTests(OnSQLite, auditing.PeriodTests):
    """Only a part."""


class UnclaimedTests(OnSQLite, auditing.UnclaimedTests):
    """Slots that no injector has claimed."""


class MeanwhileTests(OnSQLite, auditing.MeanwhileTests):
    """While an audit is under way, all goes on."""


class RaceTests(OnSQLite, auditing.RaceTests):
    """An audit beside an injector and somebody who replaces the category."""
