"""Replacing categories on SQLite."""

from tests.database import replacing
from tests.database.store import OnSQLite


class ReplaceTests(OnSQLite, replacing.ReplaceTests):
    """A document and then another one."""


class InheritedCategoryTests(OnSQLite, replacing.InheritedCategoryTests):
    """A category that 0.27 stored, and the first document after the upgrade."""
