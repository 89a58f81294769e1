"""Replacing categories on SQLite."""

from tests.database import replacing
from tests.database.store import OnSQLite


class ReplaceTests(OnSQLite, replacing.ReplaceTests):
    """A document and then another one."""


class InheritedCategoryTests(OnSQLite, replacing.InheritedCategoryTests):
    """A category that 0.27 stored, and the first document after the upgrade."""


class ExpectedTests(OnSQLite, replacing.ExpectedTests):
    """A category that is replaced only as long as it is what somebody thinks it is."""


class LatestChangeTests(OnSQLite, replacing.LatestChangeTests):
    """By which change a category is what it is."""
