"""The addresses of all pages and of the API: those of the routes of the web, with something to show.

Who adds a route with a new kind of variable says here what stands for it.
"""

import re
from urllib.parse import quote

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from bench.dataset import BUSY
from bench.statements import Statements
from cronq.database.gateway import Database, make_engine
from cronq.web.http.routing import Route
from cronq.web.site import WebSettings, make_web

#: A day of a hundred thousand jobs is more than a page; they are measured by themselves, once.
AUDITS = ("/audit", "/api/audit")
#: What is asked for besides the plain address of a route.
QUERIES = {
    "/": (
        "sort=next", "sort=last", "sort=-last", "sort=usual", "q=77", "q=no+such+job",
        "q=no+such+job&sort=last",
        "category=bench", "category=bench&sort=last", "category=data-14&sort=usual", "owner=billing",
        "owner=billing&tag=tier-1&sort=next", "state=failing", "state=failing&sort=last", "state=running",
        "state=paused", "state=late", "state=never", "state=never&sort=usual", "state=succeeded&owner=growth",
        "after=50000", "before=50000", "sort=usual&after=50000-3.1",
    ),
    "/api/jobs": (
        "per_page=100", "per_page=100&page=900", "per_page=100&page=900&sort=name.asc",
        "per_page=100&page=900&sort=category_id.desc", "category.name=bench&per_page=100",
    ),
    "/job/<job_id>": (
        "older=r500000", "newer=r500000", "state=failed", "state=killed", "by_hand=1", "day={day}",
    ),
    "/categories": ("after=data-14", "before=data-14"),
    "/failures": ("status=lost", "older=r500000"),
    "/changes": ("who=person-7", "action=job.paused"),
    "/audit": ("job=1",),
    "/api/audit": ("job=1",),
}  # fmt: skip

_VARIABLE = re.compile(r"<(?:[^<>]*:)?(\w+)>")


class Addresses:
    """Finds something to show in a database of `bench.dataset`."""

    def __init__(self, database: Statements) -> None:
        busy = int(database.value(f"SELECT MAX(id) FROM jobs WHERE id % {BUSY} = 0 OR id = 1"))
        run_id = str(database.value("SELECT MAX(run_id) FROM outputs"))  # one that has written something
        runner = str(database.value("SELECT MAX(id) FROM runners WHERE status = 'up'"))
        #: A day of that job.
        day = str(database.value("SELECT MAX(DATE(slot)) FROM runs WHERE job_id = %s", busy))
        self._variables = {"job_id": str(busy), "run_id": run_id, "day": day}
        self._names = {"/runner/": runner, "/api/runners/": runner, "/api/categories/": "bench"}
        self._names |= dict.fromkeys(("/category/", "/api/category/"), "data-14")

    def all(self) -> dict[str, str]:
        """Every address that can be read, by what it is called in figures."""
        found = {}
        for route in get_routes():
            name = _VARIABLE.sub(r"<\1>", route.path)
            path = self._filled(route.path)
            if name not in AUDITS:
                found[name] = path
            for query in QUERIES.get(name, ()):
                found[f"{name}?{query}"] = f"{path}?{query.format(**self._variables)}"
        return found

    def _filled(self, path: str) -> str:
        """With something for each variable; raises KeyError when nobody has said what stands for it."""

        def value(variable: re.Match[str]) -> str:
            named = next((name for begin, name in self._names.items() if path.startswith(begin)), None)
            known = self._variables if named is None else self._variables | {"name": quote(named, safe="")}
            return known[variable[1]]

        return _VARIABLE.sub(value, path)


def get_routes() -> list[Route]:
    """All routes that answer to GET, but for the files beside the pages."""
    database = Database(make_engine("sqlite://"), maybeDeferred, Clock())
    web = make_web(database, WebSettings(secret_key="of the benchmark"), Clock())
    return [each for each in web.routes if "GET" in each.methods and not each.path.startswith("/static/")]
