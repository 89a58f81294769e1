"""Pages of jobs on SQLite."""

from tests.database import listing
from tests.database.store import OnSQLite


class PageTests(OnSQLite, listing.PageTests):
    """Orders and searches."""


class BoundTests(OnSQLite, listing.BoundTests):
    """What is looked at for one page."""


class FacetTests(OnSQLite, listing.FacetTests):
    """What documents say of jobs."""


class ListTests(OnSQLite, listing.ListTests):
    """What the list says of each job."""
