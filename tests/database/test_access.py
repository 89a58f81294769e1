"""Users, sessions, tokens and the record of changes on SQLite."""

from tests.database import accessing
from tests.database.store import OnSQLite


class UserTests(OnSQLite, accessing.UserTests):
    """Those who may log in."""


class SessionTests(OnSQLite, accessing.SessionTests):
    """Who is logged in."""


class TokenTests(OnSQLite, accessing.TokenTests):
    """By which programs show who they are."""


class ChangeTests(OnSQLite, accessing.ChangeTests):
    """What people change."""
