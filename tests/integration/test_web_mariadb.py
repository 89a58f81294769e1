"""The pages and the API on a MariaDB, where they do the same as on SQLite."""

from tests import servers
from tests.web import (
    test_api,
    test_callers,
    test_categories,
    test_changes,
    test_failing,
    test_failures,
    test_hostile,
    test_job_list,
    test_job_runs,
    test_logins,
    test_run_page,
    test_runners,
    test_upcoming,
)


class OnMariaDB:
    """Gives a suite of the web a database of its own on a server."""

    def database_url(self) -> str:
        return servers.mariadb().new_database()


class CategoriesOnMariaDBTests(OnMariaDB, test_api.CategoriesTests):
    pass


class JobsOnMariaDBTests(OnMariaDB, test_api.JobsTests):
    pass


class ReplaceCategoryOnMariaDBTests(OnMariaDB, test_api.ReplaceCategoryTests):
    pass


class FailuresOnMariaDBTests(OnMariaDB, test_failures.FailuresTests):
    pass


class FailingOnMariaDBTests(OnMariaDB, test_failing.FailingTests):
    pass


class UpcomingOnMariaDBTests(OnMariaDB, test_upcoming.UpcomingTests):
    pass


class HostileOnMariaDBTests(OnMariaDB, test_hostile.HostileTests):
    pass


class JobListOnMariaDBTests(OnMariaDB, test_job_list.JobListTests):
    pass


class InheritedRunOnMariaDBTests(OnMariaDB, test_run_page.InheritedRunTests):
    pass


class RunnersOnMariaDBTests(OnMariaDB, test_runners.ApiTests):
    pass


class RunnerListOnMariaDBTests(OnMariaDB, test_runners.ListTests):
    pass


class LoginsOnMariaDBTests(OnMariaDB, test_logins.LoginTests):
    pass


class TokensOnMariaDBTests(OnMariaDB, test_callers.TokenTests):
    pass


class ChangesOnMariaDBTests(OnMariaDB, test_changes.ChangesTests):
    pass


class CategoryListOnMariaDBTests(OnMariaDB, test_categories.ListTests):
    pass


class PutOnMariaDBTests(OnMariaDB, test_categories.PutTests):
    pass


class DocumentsOnMariaDBTests(OnMariaDB, test_categories.DocumentApiTests):
    pass


class JobSearchOnMariaDBTests(OnMariaDB, test_job_runs.SearchTests):
    pass


class JobDaysOnMariaDBTests(OnMariaDB, test_job_runs.DaysTests):
    pass
