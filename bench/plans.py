"""How a server goes about what pages ask of it: which statements walk over all rows of a large table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import event
from treq.testing import StubTreq
from twisted.internet.defer import maybeDeferred
from twisted.internet.task import Clock

from cronq.database.gateway import Database, make_engine
from cronq.web.safety.hosts import Hosts
from cronq.web.site import WebSettings, make_web

_HOST = "http://bench.example"
#: How a table is read in full: row by row, or along an index.
_IN_FULL = frozenset({"ALL", "index"})


@dataclass(frozen=True, slots=True)
class Scan:
    """A statement that reads more of a table than a page may."""

    address: str
    table: str
    #: `ALL` or `index`, and how many rows the server counts on.
    how: str
    rows: int
    statement: str

    def __str__(self) -> str:
        return (
            f"{self.address}: {self.table} is read in full ({self.how}, {self.rows:,} rows): {self.statement}"
        )


class Plans:
    """Reads pages of a web in this process, and asks a MariaDB how it goes about each statement of theirs."""

    def __init__(self, database_url: str, most: int) -> None:
        """`most` rows of a table may be walked over."""
        self._most = most
        self._engine = make_engine(database_url)
        self._asked: dict[str, Any] = {}
        event.listen(self._engine, "before_cursor_execute", self._note)
        settings = WebSettings(secret_key="of the benchmark", hosts=Hosts(frozenset({"bench.example"})))
        database = Database(self._engine, maybeDeferred, Clock())
        self._web = make_web(database, settings, Clock())
        self._client: Any = StubTreq(self._web.resource)  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """End what goes on, and leave the server."""
        self._web.streams.end_all()
        self._engine.dispose()

    def scans(self, addresses: Mapping[str, str]) -> list[Scan]:
        """What is read in full, of all these addresses. Raises RuntimeError when one cannot be read."""
        found: dict[str, Scan] = {}
        for name, path in addresses.items():
            self._asked.clear()
            self._read(path)
            for scan in self._explained(dict(self._asked)):
                found.setdefault(scan.statement, replace(scan, address=name))
        return list(found.values())

    def _read(self, path: str) -> None:
        answers: list[Any] = []
        self._client.get(_HOST + path, allow_redirects=False).addCallback(answers.append)
        # What goes on, as a stream of events, has not answered yet, and has asked what it asks at the begin.
        if answers and answers[0].code >= 400:
            raise RuntimeError(f"GET {path}: {answers[0].code}")

    def _note(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool
    ) -> None:
        if statement.startswith(("SELECT", "WITH", "(SELECT")) and not many:
            self._asked.setdefault(statement, parameters)

    def _explained(self, asked: Mapping[str, Any]) -> Iterator[Scan]:
        with self._engine.connect() as connection:
            for statement, parameters in asked.items():
                explained = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters)
                for row in explained.mappings():
                    table, how, rows = row["table"] or "", row["type"], _number(row["rows"])
                    # <derived2> and the like are made by the statement itself.
                    if how in _IN_FULL and rows > self._most and not table.startswith("<"):
                        yield Scan("", table, how, rows, " ".join(statement.split()))


def _number(rows: Any) -> int:
    """What EXPLAIN says of rows: nothing, a number or, where it filters, `1 (5%)`."""
    return int(str(rows or 0).partition(" ")[0])
